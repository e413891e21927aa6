// Package oracle judges the program after every death and at every end, by the service's own
// account first and by its words only where the two are compared. It holds the oracles that every
// run of the fault suite has to keep:
//
//	O1  the sum balances, and is that of the input
//	O2  no false success: what is reported in place is in the service, with its fields
//	O3  no phantom: what is in the service was in the input
//	O4  bounded repeats: after one death at most one chunk for each worker is sent again; nothing is
//	    that was answered to a run that still lives
//	O5  serial: never two calls of one account open at once
//	O6  the rate, over restarts too
//	O7  settled only grows, and a broken job ends with the lists and the graph of an unbroken one
//	O8  exit code, last line, report, lists and journal tell one story
//	O9  the key and every signature are in no file and no output
//	O10 no edge stands as failed that the service did not itself refuse
package oracle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"friendmigrate/cmd/trial/lab"
	"friendmigrate/migrate"
)

// Audit judges one job from its beginning.
type Audit struct {
	Job     *lab.Job
	Service *lab.Service
	Folder  string // the state folder
	Like    *lab.Reference
	Stalls  *lab.Stalls

	// Changing says that the service changes as it goes: failed edges may be taken up again at any
	// time, and one may be there whose answer was lost before its account went.
	Changing bool

	// Late counts the calls that left after the last acknowledgement that counts: those between the
	// beginning of a power cut and its end.
	Late int

	deaths int                       // abrupt ones, before the run that is judged
	seen   map[place]migrate.Outcome // settled when last looked
	failed []string
}

// Found lists what was violated so far, an entry each: the oracle's number and words.
func (a *Audit) Found() []string { return a.failed }

func (a *Audit) violated(oracle, format string, args ...any) {
	a.failed = append(a.failed, oracle+": "+fmt.Sprintf(format, args...))
}

// Fail records a violation that its row has found by itself.
func (a *Audit) Fail(oracle, text string) { a.violated(oracle, "%s", text) }

// Dead judges after the end of a run, whatever ended it. After an abrupt end the program did not
// see all answers to its calls.
func (a *Audit) Dead(end lab.Ended, abrupt bool) {
	s, err := readState(a.Folder)
	if err != nil {
		a.violated("O7", "the state cannot be read: %v", err)
		return
	}
	a.placed(s)
	a.grown(s)
	a.repeats()
	if abrupt {
		a.deaths++
	}
	a.service()
	a.secrets(end)
	if strings.Contains(end.Out, "panic:") || strings.Contains(end.Out, "goroutine ") {
		a.violated("O8", "it panicked: %s", end.Out)
	}
	if end.Code == lab.Hung {
		a.violated("O8", "it did not end: %s", end.Out)
	}
}

// placed is O2, edge by edge, at any moment: what the journal has as in place is there.
func (a *Audit) placed(s *state) {
	missing := 0
	var first lab.Pair
	for at, o := range s.settled {
		pair, known := s.plan[at]
		if known && o.Kind != migrate.Failed && !a.Service.Sim.Has(pair.From, pair.To) {
			missing++
			first = pair
		}
	}
	if missing > 0 {
		a.violated("O2", "%d edges are settled as in place and are not in the service, %s -> %s among them", missing,
			first.From, first.To)
	}
}

// grown is the first half of O7. A failed edge may be open again where that was asked for.
func (a *Audit) grown(s *state) {
	lost := 0
	for at, was := range a.seen {
		now, there := s.settled[at]
		if was.Kind == migrate.Failed && a.retries() {
			continue
		}
		if !there || now.Kind != was.Kind || now.Code != was.Code {
			lost++
		}
	}
	if lost > 0 {
		a.violated("O7", "%d edges that were settled are not, or otherwise", lost)
	}
	a.seen = s.settled
}

// Keeps is the first half of O7 for what the program had told: so many edges in place.
func (a *Audit) Keeps(told int64) {
	kept := int64(0)
	for _, o := range a.seen {
		if o.Kind != migrate.Failed {
			kept++
		}
	}
	if kept < told {
		a.violated("O7", "%d edges were told to be in place, the journal has %d", told, kept)
	}
}

func (a *Audit) retries() bool {
	if a.Changing {
		return true
	}
	for _, act := range a.Job.Acts {
		if act.Change != nil {
			return true
		}
	}
	return false
}

// repeats is O4.
func (a *Audit) repeats() {
	accounts, most := a.Service.Repeats()
	if allowed := a.deaths*a.Job.Workers + a.Late; accounts > allowed {
		a.violated("O4", "edges of %d accounts were sent again, %d workers and %d deaths allow %d", accounts,
			a.Job.Workers,
			a.deaths, allowed)
	}
	if most > migrate.MaxChunkEdges {
		a.violated("O4", "%d edges of one account were sent again", most)
	}
	if n := a.Service.Needless(); n > 0 {
		a.violated("O4", "%d edges were sent again by the run that had their answer", n)
	}
}

// Of any rate + 1 calls the last leaves a second after the first. They arrive closer together by
// what held up the first, which is measured beside the runs (Audit.Stalls), for both sides; a
// limiter that is full again at the start, or that forgets the run before, has them there in half a
// second. The sliding second of departures itself is held exactly by the tests of the limiter, in
// virtual time.
const (
	leastJitter = 100 * time.Millisecond
	mostJitter  = 500 * time.Millisecond
)

// jitter is how much closer together calls may arrive than they left.
func (a *Audit) jitter() time.Duration { return min(leastJitter+2*a.Stalls.Longest(), mostJitter) }

// service is O5, O6 and O3.
func (a *Audit) service() {
	stats := a.Service.Sim.Stats()
	if stats.Overlaps > 0 {
		a.violated("O5", "%d calls overlapped another one of their account, such as %q", stats.Overlaps,
			stats.OverlapAccounts)
	}
	jitter := a.jitter()
	if crowd := int(a.Job.Rate) + 1; a.Job.Rate < lab.Unpaced {
		if took, known := a.Service.Closest(crowd); known && took < time.Second-jitter {
			a.violated("O6", "%d calls arrived within %v, the rate is %g", crowd, took, a.Job.Rate)
		}
	}
	for pair := range a.Service.Graph() {
		if _, known := a.Job.Pairs[pair]; !known {
			a.violated("O3", "%s -> %s is in the service and was not in the input", pair.From, pair.To)
			return
		}
	}
}

// secrets is O9.
func (a *Audit) secrets(end lab.Ended) {
	secrets := a.Service.Secrets()
	look := func(where string, text []byte) {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				a.violated("O9", "a key or signature is in %s", where)
				return
			}
		}
	}
	look("the output", []byte(end.Out))
	err := filepath.WalkDir(a.Folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		look(path, content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.violated("O9", "the state cannot be searched: %v", err)
	}
}

// Finished judges an act that ended by itself with the code of a finished one.
func (a *Audit) Finished(end lab.Ended, act int) {
	want := &a.Like.Acts[act]
	if end.Code != want.Code {
		a.violated("O8", "exit code %d, the unbroken run had %d: %s", end.Code, want.Code, end.Last)
		return
	}
	a.graph(want)
	r, ok := a.story(end)
	if !ok {
		return
	}
	a.sum(r, a.Job.Acts[act].Part)
	a.lists(want, r)
}

// Told judges what a run says of itself that has no unbroken one beside it: O1, O8, and the sum of
// O2.
func (a *Audit) Told(end lab.Ended) {
	if r, ok := a.story(end); ok {
		a.sum(r, end.Code != 0 && end.Code != 3)
	}
}

// Refused is the first third of O10: refused says whether the service has ever refused an edge with
// this code.
func (a *Audit) Refused(refused func(pair lab.Pair, code int) bool) {
	s, err := readState(a.Folder)
	if err != nil {
		a.violated("O10", "the state cannot be read: %v", err)
		return
	}
	for at, o := range s.settled {
		if pair, known := s.plan[at]; known && o.Kind == migrate.Failed && !refused(pair, o.Code) {
			a.violated("O10", "%s -> %s stands as failed with %d, with which nobody refused it", pair.From, pair.To,
				o.Code)
			return
		}
	}
}

// graph is the second half of O7, and O2 with fields.
func (a *Audit) graph(want *lab.ReferenceAct) {
	got := a.Service.Graph()
	differ := 0
	var first lab.Pair
	for pair, fields := range want.Graph {
		if got[pair] != fields {
			differ++
			first = pair
		}
	}
	if differ > 0 || len(got) != len(want.Graph) {
		a.violated("O7",
			"the service has %d edges and the unbroken run's has %d; %d are not or otherwise there, such as %v",
			len(got), len(want.Graph), differ, first)
	}
}

// told is what report.json says.
type told struct {
	Ending struct {
		Code int    `json:"code"`
		What string `json:"what"`
	} `json:"ending"`
	Edges struct {
		Read      int64 `json:"read"`
		Imported  int64 `json:"imported"`
		Already   int64 `json:"already"`
		Failed    int64 `json:"failed"`
		Rejected  int64 `json:"rejected"`
		Duplicate int64 `json:"duplicate"`
		Pending   int64 `json:"pending"`
		Balanced  bool  `json:"balanced"`
	} `json:"edges"`
	Added struct {
		Imported int64 `json:"imported"`
		Already  int64 `json:"already"`
		Failed   int64 `json:"failed"`
		Pending  int64 `json:"pending"`
	} `json:"added"`
}

// story is O8: report, progress, last line and journal. It returns the report.
func (a *Audit) story(end lab.Ended) (r told, ok bool) {
	var p struct {
		Code *int   `json:"code"`
		What string `json:"what"`
	}
	for name, into := range map[string]any{"report.json": &r, "progress.json": &p} {
		content, err := os.ReadFile(filepath.Join(a.Folder, name))
		if err == nil {
			err = json.Unmarshal(content, into)
		}
		if err != nil {
			a.violated("O8", "%s: %v", name, err)
			return r, false
		}
	}
	if r.Ending.Code != end.Code || p.Code == nil || *p.Code != end.Code {
		a.violated("O8", "exit code %d, the report says %d, progress.json %v", end.Code, r.Ending.Code, p.Code)
	}
	// The report has all lines of the ending, so the last of them is its end.
	what, ours := strings.CutPrefix(end.Last, "friendmigrate: ")
	what, _, hinted := strings.Cut(what, "; hint: ")
	if !ours || !hinted || what == "" || !strings.HasSuffix(r.Ending.What, what) {
		a.violated("O8", "the last line is %q, the report says %q", end.Last, r.Ending.What)
	}
	s, err := readState(a.Folder)
	if err != nil {
		a.violated("O8", "the state cannot be read: %v", err)
		return r, false
	}
	t := s.totals
	if t.Imported+t.Already != r.Edges.Imported+r.Edges.Already+r.Added.Imported+r.Added.Already ||
		t.Failed != r.Edges.Failed+r.Added.Failed ||
		t.Pending != r.Edges.Pending+r.Added.Pending {
		a.violated("O8", "the journal says %+v, the report %+v and %+v", t, r.Edges, r.Added)
	}
	return r, true
}

// sum is O1.
func (a *Audit) sum(r told, part bool) {
	e := r.Edges
	if sum := e.Imported + e.Already + e.Failed + e.Rejected + e.Duplicate + e.Pending; sum != e.Read || !e.Balanced {
		a.violated("O1", "%d edges read, the sum is %d", e.Read, sum)
	}
	if e.Read != a.Job.Rows || e.Rejected != a.Job.Rejected || e.Duplicate != a.Job.Duplicates {
		a.violated("O1", "read %d, rejected %d, duplicate %d; the input has %d, %d, %d", e.Read, e.Rejected,
			e.Duplicate,
			a.Job.Rows, a.Job.Rejected, a.Job.Duplicates)
	}
	pending := e.Pending + r.Added.Pending
	if !part && pending > 0 || r.Ending.Code == 0 && (!part && pending > 0 || e.Failed+r.Added.Failed+e.Rejected > 0) {
		a.violated("O1", "exit code %d with %+v", r.Ending.Code, e)
	}
	inPlace := e.Imported + e.Already + r.Added.Imported + r.Added.Already
	if there := int64(len(a.Service.Graph())); inPlace > there || !part && !a.Changing && len(a.Job.Before) == 0 &&
		inPlace != there {
		a.violated("O2", "%d edges are reported in place, the service has %d", inPlace, there)
	}
}
