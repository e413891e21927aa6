package job

import (
	"testing"
	"time"
)

func TestLinesComeSoonAndThenSeldom(t *testing.T) {
	for n, want := range []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, time.Minute, 90 * time.Second} {
		if got := lineDue(n); got != want {
			t.Errorf("line %d after %s, want %s", n, got, want)
		}
	}
}

// A window ends soon after --max-duration, whatever --linger says.
func TestLingeringEndsWithTheWindow(t *testing.T) {
	for _, c := range []struct{ linger, window, ended, want time.Duration }{
		{30 * time.Second, 0, time.Hour, 30 * time.Second},
		{30 * time.Second, time.Hour, time.Minute, 30 * time.Second},
		{30 * time.Second, time.Hour, time.Hour - 10*time.Second, 15 * time.Second},
		{30 * time.Second, time.Hour, time.Hour + time.Second, 4 * time.Second},
		{2 * time.Second, time.Hour, time.Hour, 2 * time.Second},
		{30 * time.Second, time.Hour, time.Hour + time.Minute, -55 * time.Second},
	} {
		p := &Program{Began: time.Now(), Lingers: c.linger, Window: c.window}
		if got := p.lingers(p.Began.Add(c.ended)); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
