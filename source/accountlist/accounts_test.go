package accountlist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"friendmigrate/source"
)

func TestIDsAreWhatStandsInTheFile(t *testing.T) {
	for content, want := range map[string]string{
		"a\nb\n":                     "a:1 b:2",
		"a\nb":                       "a:1 b:2",
		"\xef\xbb\xbfa\r\n\r\nb\r\n": "a:1 b:3",
		"a\na\nb\na\n":               "a:1 b:3",
		" a \n":                      " a :1",
		"a,b\n":                      "a,b:1",
		"From_Account\nx\n":          "x:2",
		"From_Account,ResultCode\n\"x,y\",1\nz,2\nz,3\n": "x,y:2 z:3",
		"From_Accounts\nx\n":                             "From_Accounts:1 x:2",
		"\"From_Account\",\"x\"\n\"ali\",\"1\"\n":        "ali:2",
		"\n\nUserID,ResultCode\nu,0\n\nv,70107\n":        "u:4 v:6",
		"To_Account\nx\n":                                "x:2",
		"Remark,To_Account,From_Account\n1,t,f\n":        "f:2",
		"\"a\"\n\"b\"\"c\"\nd\"\n":                       "a:1 b\"c:2 d\":3",
		"a\n\xef\xbb\xbfb\n":                             "a:1 b:2",
		strings.Repeat("x", 32) + "\n汉字\n":               strings.Repeat("x", 32) + ":1 汉字:2",
	} {
		name := filepath.Join(t.TempDir(), "ids")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for a, err := range f.All(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, a.ID+":"+string(rune('0'+a.Line)))
		}
		if strings.Join(got, " ") != want || f.Count != int64(len(got)) {
			t.Errorf("%q: %v of %d, want %s", content, got, f.Count, want)
		}
	}
}

func TestARepeatedIDIsSkippedInAListOfAnyLength(t *testing.T) {
	var list strings.Builder
	for i := range MostSeen {
		fmt.Fprintln(&list, i)
	}
	for _, id := range []string{"x", "x", "x", "7", "y", "x", "y", "y"} { // repeats that are far from each other count
		fmt.Fprintln(&list, id)
	}
	name := filepath.Join(t.TempDir(), "ids")
	if err := os.WriteFile(name, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Count != MostSeen+4 {
		t.Errorf("%d accounts, want %d", f.Count, MostSeen+4)
	}
}

func TestAFileWithoutAccountsIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ids")
	for _, content := range []string{"", "\n\r\n", "From_Account,Line\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(name, nil); err == nil {
			t.Errorf("%q names accounts", content)
		}
	}
	if _, err := Open(name+"x", nil); err == nil {
		t.Error("a file that is not there names accounts")
	}
}

func TestWhatIsNoListIsRefusedByName(t *testing.T) {
	utf16 := func(s string) (out string) {
		for _, c := range []byte(s) {
			out += string([]byte{c, 0})
		}
		return "\xff\xfe" + out
	}
	for content, want := range map[string]string{
		utf16("ali\nbea\n"):                "UTF-16",
		"\x1f\x8b\x08\x00\x00\x00\x00\x00": "gzip",
		"ali\rbea\r":                       "CR",
		"ali\nbea\rcleo\n":                 "CR",
		"From_Account\rali\r":              "CR",
		"{\"From_Account\":\"ali\"}\n":     "is JSON, not",
		"[\"ali\",\n\"bea\"]\n":            "is JSON, not",
		"a\n" + strings.Repeat("x", 33):    `, line 2 has "xxx`,
		"a\nb\x01\n":                       `, line 2 has "b\x01"`,
		"a\nb\tc\n":                        `, line 2 has "b\tc"`,
		"\n\nb\xff\n":                      `, line 3 has "b\xff"`,
		"From_Account,x\na,1\n,2\n":        `, line 3 has ""`,
		"x,From_Account\na,1\nb\n":         `, line 3 has no column From_Account`,
		"From_Account,x\na,\"1\n":          `, line 2 is not a CSV record`,
		"From_Account;x\na;1\n":            "not separated by commas",
		"\"a\n":                            ", line 1 has broken quotes",
		"\"a\",\"1\"\n":                    ", line 1 has several columns",
		"a\n" + strings.Repeat("x", 2<<20): ", line 2 is longer than 1 MiB",
		"From_Account\n":                   "names no account",
	} {
		name := filepath.Join(t.TempDir(), "ids")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(name, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) || !errors.Is(err, source.ErrUnusable) {
			t.Errorf("%.20q: %v, want %s", content, err, want)
		}
	}
	if _, err := Open(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
}

func TestAListComesThroughAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	content := "a\nb\na\n"
	go func() { _ = os.WriteFile(pipe, []byte(content), 0o600) }()
	digest := ""
	for _, name := range []string{pipe, source.Standard} {
		f, err := Open(name, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // it can be listed again
			if set, err := f.Set(t.Context()); err != nil || len(set) != 2 || f.Count != 2 || f.First != (Account{"a", 1}) {
				t.Errorf("%s: %v, %v of %+v", name, set, err, f)
			}
		}
		if digest != "" && digest != f.Digest {
			t.Errorf("%s: the digest is another one", name)
		}
		digest = f.Digest
	}
	if _, err := Open(source.Standard, strings.NewReader("")); err == nil {
		t.Error("empty standard input names accounts")
	}
}

func TestThousandsOfIDsOnceEach(t *testing.T) {
	var b strings.Builder
	for range 2 {
		for i := range 20_000 {
			fmt.Fprintf(&b, "u%d\n", i)
		}
	}
	f, err := Open(source.Standard, strings.NewReader(b.String()))
	if err != nil || f.Count != 20_000 {
		t.Errorf("%+v, %v", f, err)
	}
}
