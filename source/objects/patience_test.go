package objects

import "testing"

// A connection that stays open and says nothing is cut, and the rest asked for.
func TestAStallIsCut(t *testing.T) {
	s := stallingStore(t)
	r, err := s.Open(t.Context(), "bucket", "k.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	buffer := make([]byte, 10)
	for got := ""; got != "0123456789"; {
		n, err := r.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		got += string(buffer[:n])
	}
}
