package source

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A file that is cut back to the end of any member is a whole input, and one that goes on after it
// is too.
func TestMembersStandForThemselves(t *testing.T) {
	for _, name := range []string{"a.jsonl", "a.jsonl.gz", "a.jsonl.zst"} {
		var b bytes.Buffer
		p, err := NewPacker(&b, name)
		if err != nil {
			t.Fatal(err)
		}
		var ends []int
		for i := range 5 {
			if _, err := fmt.Fprintf(p, "{\"From_Account\":\"a\",\"To_Account\":\"b%d\",\"AddSource\":\"AddSource_Type_X\"}\n", i); err != nil {
				t.Fatal(err)
			}
			for range 2 { // an empty member leaves nothing
				if err := p.EndMember(); err != nil {
					t.Fatal(err)
				}
			}
			ends = append(ends, b.Len())
		}
		for i, end := range ends {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, b.Bytes()[:end], 0o600); err != nil {
				t.Fatal(err)
			}
			pending, err := ReadInputs(t.Context(), Request{Inputs: []string{path}, StateDir: dir, Memory: 64 << 20})
			if err != nil || pending.Totals.Edges != int64(i+1) {
				t.Fatalf("%s cut at member %d: %v", name, i, err)
			}
			if err := pending.Abort(); err != nil {
				t.Fatal(err)
			}
		}
	}
}
