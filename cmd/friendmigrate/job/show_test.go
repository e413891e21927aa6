package job

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/cmd/friendmigrate/progress"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
)

// What a person sees who presses Ctrl-C comes at once, and not with the next second.
func TestASignalIsAnsweredAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &Program{View: progress.NewView(), Screen: terminal.New(&out, nil)}
		j := &Job{Program: p, Set: settings.Settings{Output: settings.Output{Progress: "lines"}}}
		p.View.Watch(progress.Work{Fill: func(s *progress.Snapshot) { s.Phase, s.Settled, s.Total = progress.Sending, 3, 4 }})
		show := j.StartShow(nil)
		time.Sleep(Tick + Tick/2)
		synctest.Wait()
		before := out.String()
		p.View.Stopping("press Ctrl-C again to stop now")
		synctest.Wait()
		if want := before + "stopping: nothing is in flight; press Ctrl-C again to stop now\n"; out.String() != want {
			t.Errorf("got %q, want %q", out.String(), want)
		}
		if before != "sending: 75.0 %, 3 of 4 edges\n" {
			t.Errorf("the first line is %q", before)
		}
		show.Stop()
	})
}

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
