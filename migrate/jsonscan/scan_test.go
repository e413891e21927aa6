package jsonscan

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhatIsWrong(t *testing.T) {
	deep := strings.Repeat("[", maxDepth+1)
	for text, want := range map[string]error{
		`{"a":"b`: ErrCut, `{"a"`: ErrCut, ``: ErrCut, `{} x`: ErrTrailing, "\"\xff\"": ErrNotUTF8, `"\ud83d"`: ErrSurrogate, `"\ud83dx"`: ErrSurrogate,
		`"\ude42\ud83d"`: ErrSurrogate, deep: ErrDeep, `{"a":"\u00e9"}`: nil, `[1,-2.5e+7,true,false,null,{}]`: nil,
	} {
		s := Scanner{Data: []byte(text)}
		err := s.Skip()
		if err == nil {
			err = s.End()
		}
		if !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", text, err, want)
		}
	}
}

// FuzzScanner holds the scanner against encoding/json: what we take for JSON is JSON, strings have
// the same value, and what we refuse is refused there too or is what encoding/json would change
// silently.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"a":"r\u00e9\ud83d\ude42"}`, `{"a":[1,-2.5e+7,true,false,null,{"b":"\n"}]}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{}`, `{"a":1,}`, ` {"a" : "b" } `, `{"":1e555}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || len(s) > 4096 {
			return
		}
		var got []string
		text := Scanner{Data: []byte(s)}
		err := text.Object(func(key []byte) error {
			got = append(got, string(key))
			if text.Peek() == '"' {
				value, err := text.Text()
				got = append(got, string(value))
				return err
			}
			return text.Skip()
		})
		if err == nil {
			err = text.End()
		}
		ok := err == nil
		var members map[string]any
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber() // a number that no float64 holds is JSON, too
		valid := json.Valid([]byte(s)) && d.Decode(&members) == nil && members != nil
		if ok && !valid {
			t.Fatalf("taken for an object: %q", s)
		}
		if !ok && valid && !strings.Contains(s, `\u`) && strings.Count(s, "[")+strings.Count(s, "{") < maxDepth {
			t.Fatalf("refused: %q", s)
		}
		for _, text := range got {
			if ok && !utf8.ValidString(text) {
				t.Fatalf("%q gives %q", s, text)
			}
		}
		if len(got) == 2 && ok {
			if want, isString := members[got[0]].(string); isString && want != got[1] {
				t.Fatalf("%q gives %q, want %q", s, got[1], want)
			}
		}
	})
}
