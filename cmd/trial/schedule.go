package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/sink/simulator"
)

type schedule struct {
	*bench
	pairs   []lab.Pair    // of the job, always in the same order
	missing simulator.Set // accounts that were ever removed
	tags    bool          // a custom field was ever refused
}

// Codes of the service, and limits of what is drawn.
const (
	codeNoAccount  = 30003
	codeBadField   = 30001
	codeNoAdmin    = 70107
	mostGoodRuns   = 6
	longestPeace   = 200 * time.Millisecond
	longestTrouble = 600 * time.Millisecond
)

// scheduled runs one job under a random schedule of troubles, then without any, and lets verify
// read the result from torn pages.
func scheduled(ctx context.Context, c *bench) {
	c.serve(lab.Make(c.dir+"-job", "schedule", c.rand.Uint64()), nil)
	c.audit.Changing, c.faults = true, 1
	s := &schedule{bench: c, pairs: c.job.SortedPairs(), missing: simulator.Set{}}
	for range 1 + c.rand.IntN(3) {
		s.troubled()
		if ctx.Err() != nil {
			return
		}
	}
	s.ends()
}

func (s *schedule) run(flags ...string) *lab.Process {
	s.job.Acts[0].Flags = flags
	return s.start(0)
}

// troubled does one run in which the service has troubles, and which may be killed or signalled.
func (s *schedule) troubled() {
	var flags []string
	if s.rand.IntN(3) == 0 {
		flags = append(flags, "--retry-failed")
	}
	p := s.run(flags...)
	signal := []syscall.Signal{0, 0, syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM}[s.rand.IntN(5)]
	m := moment{kind: "sending", call: 1 + s.rand.IntN(60), after: time.Duration(s.rand.IntN(20)) * time.Millisecond}
	if s.rand.IntN(2) == 0 {
		m = moment{kind: "starting", after: time.Duration(s.rand.IntN(1500)) * time.Millisecond}
	}
	var killer sync.WaitGroup
	killer.Go(func() {
		if signal != 0 && m.await(p, s.service) {
			p.Signal(signal)
		}
	})
	troubles := s.troubles(p)
	end := p.Wait(patience)
	killer.Wait()
	s.service.Sim.Reconfigure(s.calm)
	s.judge(end, signal, troubles)
}

type trouble struct {
	name  string
	stays bool // until the run has ended
	begin func(*simulator.Config)
}

// calm ends every trouble except the permanent one: accounts that are gone.
func (s *schedule) calm(c *simulator.Config) {
	c.Outages, c.Limit, c.MissingTags, c.Faults = nil, 0, nil, s.job.Service.Faults
}

// draw draws a trouble. In an outage each call gets one fault.
func (s *schedule) draw() (t trouble) {
	outage := func(name string, fault simulator.Fault) {
		t.name, t.begin = name, func(c *simulator.Config) { c.Outages = []simulator.Outage{{Fault: fault}} }
	}
	switch s.rand.IntN(8) {
	case 0:
		outage("refuse", simulator.Fault{Kind: simulator.FaultRefuse})
	case 1:
		outage("503", simulator.Fault{Kind: simulator.FaultStatus, Code: 503, Applied: s.rand.IntN(2) == 0})
	case 2:
		outage("30006", simulator.Fault{Kind: simulator.FaultCode, Code: []int{30006, 30008, 60008}[s.rand.IntN(3)]})
	case 3:
		outage("cut", simulator.Fault{Kind: simulator.FaultCut, Applied: s.rand.IntN(2) == 0})
	case 4:
		t.name, t.begin = "throttle", func(c *simulator.Config) { c.Limit = 15 }
	case 5:
		gone := maps.Clone(s.missing)
		for range 1 + s.rand.IntN(4) {
			gone[s.pairs[s.rand.IntN(len(s.pairs))].From] = struct{}{}
		}
		t.name, t.begin = "accounts", func(c *simulator.Config) { c.Missing, s.missing = gone, gone }
	case 6:
		outage("admin", simulator.Fault{Kind: simulator.FaultCode, Code: codeNoAdmin})
		t.stays = true
	case 7:
		t.name, t.stays = "tag", s.rand.IntN(2) == 0
		t.begin = func(c *simulator.Config) { c.MissingTags, s.tags = simulator.NewSet("Tag_SNS_Custom_Note"), true }
	}
	return t
}

// troubles causes some troubles of the service during a run, and returns their names.
func (s *schedule) troubles(p *lab.Process) (names []string) {
	for range s.rand.IntN(5) {
		t := s.draw()
		lasts := time.Duration(s.rand.Int64N(int64(longestTrouble)))
		if !sleep(time.Duration(s.rand.Int64N(int64(longestPeace))), p.Done()) {
			return names
		}
		names = append(names, t.name)
		s.service.Sim.Reconfigure(t.begin)
		if t.stays {
			return names
		}
		sleep(lasts, p.Done())
		if t.name != "accounts" {
			s.service.Sim.Reconfigure(s.calm)
		}
	}
	return names
}

// judge judges a run with troubles: by every oracle, and by whether its exit code has a cause.
func (s *schedule) judge(end lab.Ended, signal syscall.Signal, troubles []string) {
	met := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(troubles, name) })
	}
	s.common(end, end.Signal != 0)
	right := false
	switch end.Code {
	case -1:
		right = end.Signal == syscall.SIGKILL || end.Out == "" // a signal before the program handles signals
	case 0, 3:
		right = true
	case 4:
		right = signal != 0 || met("refuse", "503", "30006", "cut", "throttle", "admin")
	case 6:
		right = s.tags || len(s.missing) > 0
	case 12:
		right = met("admin")
	}
	if !right {
		s.audit.Fail("O8", "code %d, signal %v, troubles %q: %s", end.Code, signal, troubles, end.Last)
	}
	if slices.Contains([]int{0, 3, 6, 12}, end.Code) {
		s.audit.Told(end)
	}
}

// common checks what has to hold for every run.
func (s *schedule) common(end lab.Ended, abrupt bool) {
	s.audit.Dead(end, abrupt)
	s.audit.Refused(func(pair lab.Pair, code int) bool {
		return code == codeNoAccount && s.gone(pair) || code == codeBadField && s.service.RefusedAlone(pair, code)
	})
}

func (s *schedule) gone(pair lab.Pair) bool {
	return s.missing.Has(pair.From) || s.missing.Has(pair.To)
}

// ends lets the job run without troubles until it is finished. Then exactly those edges have failed
// that the service refuses.
func (s *schedule) ends() {
	for left := mostGoodRuns; left > 0; left-- {
		end := s.run("--retry-failed").Wait(patience)
		s.common(end, false)
		if end.Code == 6 && len(s.missing) > 0 { // all edges that are left may be theirs
			continue
		}
		s.audit.Told(end)
		if !finished(end) {
			s.audit.Fail("O8", "exit code %d in peace: %s", end.Code, end.Last)
			return
		}
		at := slices.IndexFunc(s.pairs, func(pair lab.Pair) bool {
			return !s.gone(pair) && !s.service.Sim.Has(pair.From, pair.To)
		})
		switch {
		case at < 0:
			s.verified(end.Code)
			return
		case end.Code == 3 && left > 1: // it only resumed an earlier --retry-failed
		default:
			s.audit.Fail("O10", "%v is not in the service, and nothing is against it: %s", s.pairs[at], end.Last)
			return
		}
	}
	s.audit.Fail("O8", "in peace it never finished")
}

// verified lets verify read the friend lists from torn pages, after all accounts are back.
func (s *schedule) verified(want int) {
	s.service.Sim.Reconfigure(func(c *simulator.Config) {
		c.Missing, c.PageSize = nil, 2+s.rand.IntN(4)
		c.Shares = map[string]float64{"cut": 0.04, "close": 0.02, "body:half": 0.03, "body:no-items": 0.02}
	})
	args := append([]string{"verify", "--fields", "--state", s.state}, lab.Reach(s.service.URL)...)
	end := s.suite.binary.Run(s.job, append(args, "--rate", fmt.Sprint(lab.Unpaced))...).Wait(patience)
	if end.Code != want {
		s.audit.Fail("O8", "verify ended with %d, the import with %d: %s", end.Code, want, end.Last)
	}
}
