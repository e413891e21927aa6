// Package oracle judges the program after every death and every end. It relies on the service's
// records, and uses the program's output only to compare the two. Every run of the fault suite has
// to satisfy these oracles:
//
//	O1  the sum balances, and is that of the input
//	O2  no false success: what is reported in place is in the service, with its fields
//	O3  no phantom: what is in the service was in the input
//	O4  bounded repeats: after one death at most one chunk for each worker is sent again; no run
//	    sends an edge again after an answer that it is in place
//	O5  serial: never two calls of one account open at once
//	O6  the rate is kept, also across restarts
//	O7  settled only grows, and a broken job ends with the lists and the graph of an unbroken one
//	O8  exit code, last line, report, lists and journal agree
//	O9  the key and every signature are in no file and no output
//	O10 no edge is reported as failed that the service did not refuse
//
// They also hold for a job in shards. In addition, its shards together are the whole job:
//
//	O1  the sums over all shards, also those of status, are those of the undivided job
//	O3  an edge is sent by one shard only, and no file is outside the shards' folders
//	O6  no shard exceeds floor(rate/n) calls in a second
//	O7  graph and lists together are those of the undivided job
package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/trial/lab"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

// Audit judges one job from its beginning.
type Audit struct {
	// Changing is set if the service changes during the job. Then failed edges may be sent again at
	// any time, and an edge may be in the service whose answer was lost before its account was
	// removed.
	Changing bool

	// Late counts the calls sent after the last valid acknowledgement: those between the beginning
	// of a power cut and its end.
	Late int

	job     *lab.Job
	service *lab.Service
	folder  string             // of the state
	like    []lab.ReferenceAct // of the unbroken run
	stalls  *lab.Stalls

	parts  []*part     // one, or the shards
	doors  []*lab.Door // of the shards
	deaths int         // abrupt ones, before the run that is judged
	failed []string
}

// part is a state that one process works on at a time.
type part struct {
	folder string
	seen   map[place]migrate.Outcome // settled at the last look
}

// New begins an audit of a job. like is its unbroken run; stalls measures the jitter of this
// machine.
func New(job *lab.Job, service *lab.Service, folder string, like []lab.ReferenceAct, stalls *lab.Stalls) *Audit {
	return &Audit{job: job, service: service, folder: folder, like: like, stalls: stalls,
		parts: []*part{{folder: folder}}}
}

// Divide declares that the job runs in shards, each through its own door.
func (a *Audit) Divide(doors []*lab.Door) {
	a.doors, a.parts = doors, nil
	for i := range doors {
		name := fmt.Sprintf("shard-%d-of-%d", i, len(doors))
		a.parts = append(a.parts, &part{folder: filepath.Join(a.folder, name)})
	}
}

// Found returns the violations so far, each with the oracle's number and a text.
func (a *Audit) Found() []string { return a.failed }

// Fail records a violation. Rows call it for what they find themselves.
func (a *Audit) Fail(oracle, format string, args ...any) {
	a.failed = append(a.failed, oracle+": "+fmt.Sprintf(format, args...))
}

// judge calls f. An error in it, such as a file that cannot be read, violates the oracle.
func (a *Audit) judge(oracle string, f func()) {
	if err := lab.Catch(f); err != nil {
		a.Fail(oracle, "it cannot be read: %v", err)
	}
}

// Dead judges after the end of a run, however it ended. After an abrupt end the program has not
// seen all answers to its calls.
func (a *Audit) Dead(end lab.Ended, abrupt bool) { a.DeadShard(0, end, abrupt) }

// DeadShard is Dead for a run of one shard. A death counts for all shards, because the service
// cannot tell which one sends again.
func (a *Audit) DeadShard(i int, end lab.Ended, abrupt bool) {
	p := a.parts[i]
	a.judge("O7", func() {
		s := readState(p.folder)
		a.placed(s)
		a.grown(p, s)
	})
	a.repeats()
	if abrupt {
		a.deaths++
	}
	a.watched()
	a.judge("O9", func() { a.secrets(p.folder, end) })
	if strings.Contains(end.Out, "panic:") || strings.Contains(end.Out, "goroutine ") {
		a.Fail("O8", "it panicked: %s", end.Out)
	}
	if end.Code == lab.Hung {
		a.Fail("O8", "it did not end: %s", end.Out)
	}
}

// placed is O2, edge by edge, at any moment: edges that are in place according to the journal are
// in the service.
func (a *Audit) placed(s *state) {
	missing := 0
	var one lab.Pair
	for at, o := range s.settled {
		pair, known := s.plan[at]
		if known && o.Kind != migrate.Failed && !a.service.Sim.Has(pair.From, pair.To) {
			missing++
			one = pair
		}
	}
	if missing > 0 {
		a.Fail("O2", "%d edges are settled as in place and are not in the service, %s -> %s among them", missing,
			one.From, one.To)
	}
}

// grown is the first half of O7. In a job with --retry-failed a failed edge may be open again.
func (a *Audit) grown(p *part, s *state) {
	lost := 0
	for at, was := range p.seen {
		now, there := s.settled[at]
		if (was.Kind != migrate.Failed || !a.retries()) && (!there || now.Kind != was.Kind || now.Code != was.Code) {
			lost++
		}
	}
	if lost > 0 {
		a.Fail("O7", "%d edges that were settled are not, or otherwise", lost)
	}
	p.seen = s.settled
}

func (a *Audit) retries() bool {
	return a.Changing || slices.ContainsFunc(a.job.Acts, func(act lab.Act) bool { return act.Change != nil })
}

// Keeps is the first half of O7 for the number of edges that the program has reported in place.
func (a *Audit) Keeps(told int64) {
	kept := int64(0)
	for _, o := range a.parts[0].seen {
		if o.Kind != migrate.Failed {
			kept++
		}
	}
	if kept < told {
		a.Fail("O7", "%d edges were told to be in place, the journal has %d", told, kept)
	}
}

// repeats is O4.
func (a *Audit) repeats() {
	accounts, most := a.service.Repeats()
	if allowed := a.deaths*a.job.Workers + a.Late; accounts > allowed {
		a.Fail("O4", "edges of %d accounts were sent again, %d workers and %d deaths allow %d", accounts,
			a.job.Workers, a.deaths, allowed)
	}
	if most > migrate.MaxChunkEdges*(1+a.Late) { // after an acknowledgement that does not count, the next chunk leaves
		a.Fail("O4", "%d edges of one account were sent again", most)
	}
	if n := a.service.Needless(); n > 0 {
		a.Fail("O4", "%d edges were sent again by the run that had their answer", n)
	}
}

// Of any rate + 1 calls the last leaves a second after the first. They may arrive closer together
// if the first was delayed. That jitter is measured next to the runs (lab.Stalls), for both sides.
// A limiter that starts full, or forgets the run before, lets them arrive within half a second. The
// tests of the limiter check the sliding second of departures exactly, in virtual time.
const (
	leastJitter = 100 * time.Millisecond
	mostJitter  = 500 * time.Millisecond
)

// tooClose reports whether one call more than the rate arrived within a second, after allowing for
// jitter: calls may arrive closer together than they left.
func (a *Audit) tooClose(took time.Duration, known bool) bool {
	return known && took < time.Second-min(leastJitter+2*a.stalls.Longest(), mostJitter)
}

// watched is O5, O6 and O3: what the service has recorded.
func (a *Audit) watched() {
	stats := a.service.Sim.Stats()
	if stats.Overlaps > 0 {
		a.Fail("O5", "%d calls overlapped another one of their account, such as %q", stats.Overlaps,
			stats.OverlapAccounts)
	}
	if crowd := int(a.job.Rate) + 1; a.job.Rate < lab.Unpaced {
		if took, known := a.service.Closest(crowd); a.tooClose(took, known) {
			a.Fail("O6", "%d calls arrived within %v, the rate is %g", crowd, took, a.job.Rate)
		}
	}
	for pair := range a.service.Graph() {
		if _, known := a.job.Pairs[pair]; !known {
			a.Fail("O3", "%s -> %s is in the service and was not in the input", pair.From, pair.To)
			return
		}
	}
}

// secrets is O9.
func (a *Audit) secrets(folder string, end lab.Ended) {
	secrets := a.service.Secrets()
	look := func(where string, text []byte) {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				a.Fail("O9", "a key or signature is in %s", where)
				return
			}
		}
	}
	look("the output", []byte(end.Out))
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		look(path, content)
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		lab.Check(err)
	}
}

// Refused is O10. refused reports whether the service has ever refused an edge with this code.
func (a *Audit) Refused(refused func(pair lab.Pair, code int) bool) {
	a.judge("O10", func() {
		s := readState(a.folder)
		for at, o := range s.settled {
			pair, known := s.plan[at]
			if known && o.Kind == migrate.Failed && !refused(pair, o.Code) {
				a.Fail("O10", "%v stands as failed with %d, with which nobody refused it", pair, o.Code)
				return
			}
		}
	})
}

type place struct {
	chunk int64
	index int
}

// state is the content of a state folder in which no process works.
type state struct {
	totals  checkpoint.Totals
	settled map[place]migrate.Outcome
	plan    map[place]lab.Pair // empty while no stage is sealed
}

// readState opens journal and stage like the program, only for reading.
func readState(folder string) *state {
	s := &state{settled: map[place]migrate.Outcome{}, plan: map[place]lab.Pair{}}
	journal, err := checkpoint.OpenReadOnly(disk.OS{}, folder)
	if !errors.Is(err, fs.ErrNotExist) {
		lab.Check(err)
		defer func() { lab.Check(journal.Close()) }()
		s.readJournal(journal)
	}
	staged, err := stage.Open(filepath.Join(folder, "staged"), nil)
	if !errors.Is(err, fs.ErrNotExist) {
		lab.Check(err)
		defer func() { lab.Check(staged.Close()) }()
		s.readStage(staged)
	}
	return s
}

func (s *state) readJournal(j *checkpoint.Journal) {
	s.totals = j.Totals()
	for one, err := range j.Settlements(0, j.Identity().Chunks) {
		lab.Check(err)
		at := place{one.Ordinal, one.Index}
		if one.Reopened {
			delete(s.settled, at)
			continue
		}
		if _, twice := s.settled[at]; twice {
			lab.Check(fmt.Errorf("edge %d of chunk %d is settled twice", at.index, at.chunk))
		}
		s.settled[at] = one.Outcome
	}
}

func (s *state) readStage(staged *stage.Stage) {
	for roster, err := range staged.Rosters(context.Background(), nil) {
		lab.Check(err)
		for i := range roster.Chunks {
			chunk := lab.Must(roster.Load(i))
			for n := range chunk.Edges {
				s.plan[place{chunk.Ordinal, n}] = lab.Pair{From: chunk.From, To: chunk.Edges[n].To}
			}
		}
	}
}
