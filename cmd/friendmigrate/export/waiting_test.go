package export

import (
	"bytes"
	"fmt"
	"testing"
)

// TestWaitingRowsTakeRoomWhileTheyWait and not longer, though some rows always wait, and some very
// long.
func TestWaitingRowsTakeRoomWhileTheyWait(t *testing.T) {
	w := waiting{folder: t.TempDir(), most: 1000}
	write := func(e *entry, text string) {
		t.Helper()
		if err := w.add(e, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	take := func(e *entry, want string) {
		t.Helper()
		var got bytes.Buffer
		if err := w.writeTo(&got, e); err != nil || got.String() != want {
			t.Fatalf("%q, %v, want %q", &got, err, want)
		}
		w.drop(e)
	}
	line := func(i int) string { return fmt.Sprintf("%099d\n", i) }
	var slow, before entry
	write(&slow, line(0))
	for i := 1; i <= 500; i++ {
		var next entry
		write(&next, line(i))
		write(&next, line(-i))
		if i > 1 {
			take(&before, line(i-1)+line(1-i))
		}
		before = next
		size := int64(0)
		for _, f := range w.files {
			size += f.end
		}
		if size > 3*(1000+100) { // that of the slow one, and two between which next may lie
			t.Fatalf("after %d entries there are %d bytes in %d files", i, size, len(w.files))
		}
	}
	take(&before, line(500)+line(-500))
	if take(&slow, line(0)); len(w.files) > 0 {
		t.Errorf("%d files are left", len(w.files))
	}
}
