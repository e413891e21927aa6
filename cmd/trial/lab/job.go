package lab

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"friendmigrate/sink/simulator"
)

// App and key of all jobs and services.
const (
	App = 1400000077
	Key = "b7e1516289aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfe"
)

// TheApp is the app of all jobs.
var TheApp = simulator.App{SDKAppID: App, Key: Key}

// Pair is an edge without its fields.
type Pair struct{ From, To string }

// Job is an import to be broken: its inputs, the settings of its runs, and the service that it
// calls.
type Job struct {
	Shape string
	Dir   string // holds inputs, key and account lists; the program's working folder
	Acts  []Act

	Workers int
	Rate    float64 // of the job; Unpaced: no limit
	Timeout time.Duration
	Flags   []string // of every run
	Env     []string // in addition to that of every process
	Inputs  []string
	Service simulator.Config
	Before  []Pair // edges in the service before the job

	// What the generator knows about the inputs.
	Pairs      map[Pair]struct{} // valid, distinct; with the reverses that --mutual adds
	Rows       int64
	Rejected   int64
	Duplicates int64
}

// Act is a part of a job that is run to its end before the next begins.
type Act struct {
	Flags  []string                // only of its runs
	Change func(*simulator.Config) // change of the service before the act; nil: none
	Part   bool                    // it ends although edges are pending
}

// Unpaced is the rate from which the program does not limit calls.
const Unpaced = 100000

// Args returns the command line of a run.
func (j *Job) Args(act int, url, state string) []string {
	args := append([]string{"import"}, Reach(url)...)
	args = append(args, "--state", state, "--rate", fmt.Sprint(j.Rate), "--workers", fmt.Sprint(j.Workers),
		"--timeout", j.Timeout.String())
	return slices.Concat(args, j.Flags, j.Acts[act].Flags, j.Inputs)
}

// Reach returns the flags of a command that calls a service.
func Reach(url string) []string {
	return []string{
		"--sdk-app-id", fmt.Sprint(App), "--secret-key-file", "key", "--endpoint", url, "--progress", "none",
	}
}

// SortedPairs returns the edges of the job, always in the same order.
func (j *Job) SortedPairs() []Pair {
	return slices.SortedFunc(maps.Keys(j.Pairs), func(a, b Pair) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}

// Shapes returns the names of the shapes that jobs are drawn from.
func Shapes() []string {
	var names []string
	for _, s := range shapes {
		if !s.apart {
			names = append(names, s.name)
		}
	}
	return names
}

// Make draws a job of a shape into the folder dir, which it creates.
func Make(dir, name string, seed uint64) *Job {
	i := slices.IndexFunc(shapes, func(s shape) bool { return s.name == name })
	if i < 0 {
		Check(fmt.Errorf("no job has the shape %q", name))
	}
	j := &Job{
		Shape: name, Dir: dir, Workers: 6, Rate: Unpaced, Timeout: 3 * time.Second, Acts: []Act{{}},
		Pairs: map[Pair]struct{}{},
		Service: simulator.Config{
			App:     TheApp,
			Latency: 2 * time.Millisecond, Jitter: 5 * time.Millisecond, Seed: seed,
			Readings: simulator.Readings{NoAddTime: true},
		},
	}
	Check(os.MkdirAll(dir, 0o700))
	Check(os.WriteFile(filepath.Join(dir, "key"), []byte(Key+"\n"), 0o600))
	shapes[i].draw(&draft{job: j, rand: rand.New(rand.NewPCG(seed, uint64(i)))})
	return j
}

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

// ReferenceAct is the result of one act, and how long its parts took.
type ReferenceAct struct {
	Code  int
	Lists map[string]string
	Graph map[Pair]string
	Calls int // of friend_import

	Stage, Finish time.Duration // before the first call, and after the end of the last
}

// Refer runs a job without breaking it and returns the result of each act.
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
	r := s.current()
	if a.Calls = len(r.arrived); a.Calls > 0 {
		a.Stage, a.Finish = r.arrived[0].Sub(p.Began), p.ended.Sub(r.ended[len(r.ended)-1])
	}
	s.mu.Unlock()
	a.Code, a.Graph, a.Lists = end.Code, s.Graph(), ReadLists(state)
	return a
}
