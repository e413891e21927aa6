package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Lists are the lists of a state folder by name, and what they hold.
type Lists map[string]string

// listNames are the lists that a job may leave.
var listNames = []string{"rejected.csv", "changed.csv", "duplicates.csv", "failed.csv", "failed.jsonl"}

// ReadLists reads the lists of a state folder.
func ReadLists(state string) (Lists, error) {
	lists := Lists{}
	for _, name := range listNames {
		b, err := os.ReadFile(filepath.Join(state, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lists[name] = string(b)
	}
	return lists, nil
}

// Reference is what an unbroken run of a job came to, act by act.
type Reference struct {
	Acts []ReferenceAct
}

// ReferenceAct is what one act came to, and how long its parts took.
type ReferenceAct struct {
	Code  int
	Lists Lists
	Graph map[Pair]string
	Calls int // friend_import

	Stage, Send, Finish time.Duration // to the first call, to the end of the last, to the end of the process
}

// Refer runs a job without breaking it.
func (b Binary) Refer(j *Job, state string) (_ *Reference, err error) {
	s, err := Serve(j)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := &Reference{}
	for act := range j.Acts {
		a, err := b.referAct(j, act, s, state)
		if err != nil {
			return nil, fmt.Errorf("unbroken run of %q: %w", j.Shape, err)
		}
		r.Acts = append(r.Acts, a)
	}
	return r, nil
}

func (b Binary) referAct(j *Job, act int, s *Service, state string) (a ReferenceAct, err error) {
	if change := j.Acts[act].Change; change != nil {
		s.Sim.Reconfigure(change)
	}
	if act > 0 {
		s.NextRun()
	}
	var first, last time.Time
	s.Watch(func(n int) {
		if n == 1 {
			first = time.Now()
		}
	}, func(int) { last = time.Now() })
	p, err := b.Start(j, act, s, state)
	if err != nil {
		return a, err
	}
	end := p.Wait(2 * time.Minute)
	if end.Code != 0 && end.Code != 3 {
		return a, fmt.Errorf("exit code %d: %s", end.Code, end.Out)
	}
	s.mu.Lock()
	a.Calls, a.Stage, a.Send, a.Finish = s.arrived[s.run-1], first.Sub(p.Began), last.Sub(first), p.ended.Sub(last)
	s.mu.Unlock()
	a.Code, a.Graph = end.Code, s.Graph()
	a.Lists, err = ReadLists(state)
	return a, err
}
