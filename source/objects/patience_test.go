package objects

import (
	"testing"
	"time"
)

func TestPausesDoubleUpToHalfAMinute(t *testing.T) {
	for failed, want := range map[int]time.Duration{1: 250 * time.Millisecond, 2: 500 * time.Millisecond, 7: 16 * time.Second, 8: mostPause, 15: mostPause, 1000: mostPause} {
		if most := pauseAfter(failed, firstPause, 1); most != want {
			t.Errorf("after %d: at most %v, want %v", failed, most, want)
		}
		if least := pauseAfter(failed, firstPause, 0); least != want/2 {
			t.Errorf("after %d: at least %v, want %v", failed, least, want/2)
		}
	}
}

func TestAStoreThatHasAnsweredIsWaitedForLonger(t *testing.T) {
	for _, c := range []struct {
		failed   int
		since    time.Duration
		answered bool
		want     bool
	}{
		{firstGo - 1, time.Hour, false, true},
		{firstGo, 0, false, false},
		{1000, 14 * time.Minute, true, true},
		{1, 15 * time.Minute, true, false},
	} {
		if got := goesOn(c.failed, c.since, 15*time.Minute, c.answered); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
}

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
