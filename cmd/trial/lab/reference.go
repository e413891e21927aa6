package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ReadLists reads the lists of a state folder, by name.
func ReadLists(state string) map[string]string {
	lists := map[string]string{}
	for _, name := range []string{"rejected.csv", "changed.csv", "duplicates.csv", "failed.csv", "failed.jsonl"} {
		b, err := os.ReadFile(filepath.Join(state, name))
		if !errors.Is(err, fs.ErrNotExist) {
			Check(err)
			lists[name] = string(b)
		}
	}
	return lists
}

// ReferenceAct is what one act came to, and how long its parts took.
type ReferenceAct struct {
	Code  int
	Lists map[string]string
	Graph map[Pair]string
	Calls int // friend_import

	Stage, Finish time.Duration // to the first call, and from the end of the last to that of the process
}

// Refer runs a job without breaking it and returns what each act came to.
func (b Binary) Refer(j *Job, state string) (acts []ReferenceAct) {
	s := Serve(j)
	defer s.Close()
	for act := range j.Acts {
		acts = append(acts, b.referAct(j, act, s, state))
	}
	return acts
}

func (b Binary) referAct(j *Job, act int, s *Service, state string) (a ReferenceAct) {
	s.Enter(act)
	s.NextRun()
	p := b.Start(j, act, s, state)
	end := p.Wait(2 * time.Minute)
	if end.Code != 0 && end.Code != 3 {
		Check(fmt.Errorf("unbroken run of %q: exit code %d: %s", j.Shape, end.Code, end.Out))
	}
	s.mu.Lock()
	_, r := s.current()
	if a.Calls = len(r.arrived); a.Calls > 0 {
		a.Stage, a.Finish = r.arrived[0].Sub(p.Began), p.ended.Sub(r.ended[len(r.ended)-1])
	}
	s.mu.Unlock()
	a.Code, a.Graph, a.Lists = end.Code, s.Graph(), ReadLists(state)
	return a
}
