package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// A body may be read more strictly than by encoding/json, never more laxly, and with the same values.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{importBody("a", "b"), `{"a":[1,-0.5e+3,true,null,"\u00e9\ud83d\ude00"],"b":{}}`, `{"From_Account":"\"","AddFriendItem":[{}]}`, `{"a":01}`, `{"a":1}x`,
		`{"a":"\ud800"}`, `{"a":{"a":{"a":[[[]]]}}}`, "{\"a\":\"\xff\"}", `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":"\u12"}`, `{"a":tru}`, `{"":1e555}`, `[`, `{"a":1,}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, api := range []string{apiImport, apiCheck, apiGet, apiAccountCheck} {
			q, wrong := commandNamed(api).read([]byte(s))
			var loose map[string]any
			d := json.NewDecoder(strings.NewReader(s))
			d.UseNumber() // a number that no float64 holds is JSON, too
			err := d.Decode(&loose)
			if wrong.code != 60003 && (err != nil || !json.Valid([]byte(s)) || !utf8.ValidString(s)) {
				t.Fatalf("%s: %q is taken as JSON: %v", api, s, err)
			}
			if from, ok := loose["From_Account"].(string); ok && wrong.code != 60003 && api != apiAccountCheck && q.from != from {
				t.Fatalf("%s: From_Account of %q is read as %q, want %q", api, s, q.from, from)
			}
		}
		if utf8.ValidString(s) {
			var back string
			if err := json.Unmarshal(appendQuoted(nil, s), &back); err != nil || back != s {
				t.Fatalf("%q is quoted as %s", s, appendQuoted(nil, s))
			}
		}
	})
}

// A body made to exhaust the stack or the time of the reader is refused as a whole, or read for
// what it is.
func TestHostileBodies(t *testing.T) {
	const many = 1 << 18
	for name, test := range map[string]struct {
		body string
		code int
		from int // bytes of From_Account
	}{
		"arrays in arrays":          {strings.Repeat("[", 1<<20), 60003, 0},
		"objects in objects":        {strings.Repeat(`{"a":`, 1<<20), 60003, 0},
		"deep and closed":           {`{"a":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + `}`, 60003, 0},
		"one name often":            {`{"x":1` + strings.Repeat(`,"y":1`, many) + `}`, 60003, 0},
		"an endless id":             {`{"From_Account":"` + strings.Repeat(`\u0061`, many) + `","AddFriendItem":[]}`, 0, many},
		"items that are none":       {`{"From_Account":"a","AddFriendItem":[` + strings.Repeat("0,", many) + `0]}`, 30001, 1},
		"an endless number":         {`{"From_Account":"a","AddFriendItem":[{"AddTime":` + strings.Repeat("9", many) + `}]}`, 30001, 1},
		"half an escape at the end": {`{"From_Account":"\u00`, 60003, 0},
	} {
		q, wrong := commandNamed(apiImport).read([]byte(test.body))
		if wrong.code != test.code || wrong.code != 60003 && len(q.from) != test.from {
			t.Errorf("%s: %d, From_Account of %d bytes; want %d and %d", name, wrong.code, len(q.from), test.code, test.from)
		}
	}
}

func commandNamed(name string) *command {
	for _, c := range commands {
		if c.name == name {
			return c
		}
	}
	return nil
}
