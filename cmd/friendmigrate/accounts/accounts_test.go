package accounts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIDsAreWhatStandsInTheFile(t *testing.T) {
	for content, want := range map[string]string{
		"a\nb\n":                     "a:1 b:2",
		"a\nb":                       "a:1 b:2",
		"\xef\xbb\xbfa\r\n\r\nb\r\n": "a:1 b:3",
		"a\na\nb\na\n":               "a:1 b:3 a:4",
		" a \n":                      " a :1",
		"a,b\n":                      "a,b:1",
		"From_Account\nx\n":          "x:2",
		"From_Account,ResultCode\n\"x,y\",1\nz,2\nz,3\n": "x,y:2 z:3",
		"From_Accounts\nx\n":                             "From_Accounts:1 x:2",
	} {
		name := filepath.Join(t.TempDir(), "ids")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(t.Context(), name)
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

func TestAFileWithoutAccountsIsRefused(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ids")
	for _, content := range []string{"", "\n\r\n", "From_Account,Line\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), name); err == nil {
			t.Errorf("%q names accounts", content)
		}
	}
	if _, err := Open(t.Context(), name+"x"); err == nil {
		t.Error("a file that is not there names accounts")
	}
}
