package main

import (
	"context"
	"slices"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/progress"
)

// leave tells those who watch how the command ends: before the last line, which is for people.
func (p *program) leave(e exit.Ending) {
	p.View.End(int(e.Code), e.OneLine())
	if err := p.notify(p.message.Write, e); err != nil {
		p.Screen.Line(err.Error())
	}
}

// interrupt does so for a process that ends at once, while the command is still at work, and waits
// for no disk.
func (p *program) interrupt(e exit.Ending) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.notify(p.message.Last, e) // the last line has to come now
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// notifies are the commands that run where nobody looks on.
var notifies = []string{"import", "verify", "export"}

func (p *program) notify(write func(progress.Message) error, e exit.Ending) error {
	job := p.View.Job()
	if !slices.Contains(notifies, job.Command) {
		return nil
	}
	var counts *progress.Counts
	if account, calls := p.View.Counts(); account != nil {
		counts = &progress.Counts{Edges: account.Rows, Calls: calls}
		if account.Added.Edges > 0 {
			counts.Added = &account.Added
		}
	} else if calls != nil {
		counts = &progress.Counts{Calls: calls}
	}
	return write(progress.Of(job.Command, job.Shard, e, time.Now(), counts))
}

// lingerOver is how long after --max-duration the last scrape is waited for at the most. A
// scheduler ends what goes on after its window, and with the pod its message would be gone.
const lingerOver = 5 * time.Second

// depart goes on serving for the last scrape, unless a signal has come or comes, and stops.
func (p *program) depart(ctx context.Context) {
	p.over.Store(true)
	if p.Server == nil {
		return
	}
	if linger := p.lingers(time.Now()); linger > 0 && ctx.Err() == nil {
		enough := time.NewTimer(linger)
		defer enough.Stop()
		select {
		case <-ctx.Done():
		case <-enough.C:
		}
	}
	p.Server.Close()
}

// lingers is how long it goes on serving after the end.
func (p *program) lingers(now time.Time) time.Duration {
	if p.Window == 0 {
		return p.Linger
	}
	return min(p.Linger, p.Began.Add(p.Window+lingerOver).Sub(now))
}
