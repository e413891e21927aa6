package source

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"friendmigrate/migrate/disk"
)

// recordOf is what staging would remember of files.
func recordOf(t *testing.T, names ...string) []Input {
	t.Helper()
	var list []Input
	for _, name := range names {
		c := comparer{ctx: t.Context(), request: Request{FS: disk.OS{}}}
		in, err := c.digest(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, in)
	}
	return list
}

func compare(t *testing.T, recorded []Input, stdin io.Reader, args ...string) Comparison {
	t.Helper()
	c, err := Compare(t.Context(), recorded, Request{Inputs: args, Options: Options{Format: "csv"}, Stdin: stdin})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestByteChangedInTheMiddleOfALargeFileIsNoticed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "big.csv")
	data := bytes.Repeat([]byte("0123456789abcde\n"), 5<<16)
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	recorded := recordOf(t, name)
	equal(t, "unchanged", compare(t, recorded, nil, name).Match, Same)

	data[len(data)/2] ^= 1
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, time.Time{}, time.Unix(0, recorded[0].ModTime)); err != nil { // size and mtime as they were
		t.Fatal(err)
	}
	c := compare(t, recorded, nil, name)
	equal(t, "changed", c.Match, Different)
	if len(c.Reasons) != 1 || !strings.Contains(c.Reasons[0], "big.csv") {
		t.Errorf("reasons: %q", c.Reasons)
	}
}

func TestTouchedInputIsReadAgainOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(name, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	recorded := recordOf(t, name)
	recorded[0].Format = CSV
	if err := os.Chtimes(name, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	c := compare(t, recorded, nil, name)
	if c.Match != Same || !c.Updated || c.Inputs[0].Format != CSV {
		t.Fatalf("got %+v", c)
	}
	c, err := Compare(t.Context(), c.Inputs, Request{Inputs: []string{name}, FS: failingFS{err: errors.New("read again")}})
	if err != nil || c.Updated {
		t.Fatalf("the second time: %+v, %v", c, err)
	}
}

func TestInputsAreComparedInOrderAndNotByName(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b, c := file("a.csv", "one"), file("b.csv", "two"), file("copies/a.csv", "one")
	recorded := recordOf(t, a, b)
	equal(t, "same", compare(t, recorded, nil, a, b).Match, Same)
	equal(t, "a copy", compare(t, recorded, nil, c, b).Match, Same)
	equal(t, "another order", compare(t, recorded, nil, b, a).Match, Different)
	equal(t, "fewer", compare(t, recorded, nil, a).Match, Different)
	equal(t, "more", compare(t, recorded, nil, a, b, c).Match, Different)

	nope := filepath.Join(dir, "nope.csv")
	gone := compare(t, recorded, nil, nope, b)
	equal(t, "gone", gone.Match, Gone)
	if len(gone.Reasons) != 1 || !strings.Contains(gone.Reasons[0], "nope.csv") {
		t.Errorf("reasons: %q", gone.Reasons)
	}
	equal(t, "gone, and the other is different", compare(t, recorded, nil, nope, a).Match, Different)
	equal(t, "a folder is gone", compare(t, recorded, nil, filepath.Join(dir, "nofolder")).Match, Gone)
	equal(t, "a folder is gone, the other is there", compare(t, recordOf(t, a, b, c), nil, filepath.Join(dir, "nofolder"), c).Match, Gone)
	equal(t, "a folder is gone, the other is different", compare(t, recordOf(t, a, b, c), nil, filepath.Join(dir, "nofolder"), b).Match, Different)
}

func TestStandardInputOnASealedStage(t *testing.T) {
	stream := func(content string) io.Reader { return strings.NewReader(content) }
	p := comparer{ctx: t.Context(), request: Request{FS: disk.OS{}, Stdin: stream("rows")}}
	in, err := p.digest(Standard)
	if err != nil {
		t.Fatal(err)
	}
	recorded := []Input{in}
	equal(t, "terminal", compare(t, recorded, nil, Standard).Match, Same)
	equal(t, "empty", compare(t, recorded, stream(""), Standard).Match, Same)
	equal(t, "the same again", compare(t, recorded, stream("rows"), Standard).Match, Same)
	equal(t, "another", compare(t, recorded, stream("more rows"), Standard).Match, Different)
	name := filepath.Join(t.TempDir(), "saved.csv")
	if err := os.WriteFile(name, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	equal(t, "the same from a file", compare(t, recorded, nil, name).Match, Same)
}
