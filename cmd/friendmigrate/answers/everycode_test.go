package answers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/sink"
	"friendmigrate/sink/simulator"
)

// The job of every scene: nine accounts with three friends each, one worker, so that calls come in
// the order of the plan.
const (
	sceneAccounts = 9
	sceneFriends  = 3
	sceneEdges    = sceneAccounts * sceneFriends
	middle        = 5 // number of the call that is in the middle of the job
)

// scene is when the answer is given.
type scene string

const (
	once     scene = "once"           // to the call in the middle
	atFirst  scene = "at first"       // to the first call
	one      scene = "one account"    // to every call of the account in the middle; others get through
	thenAll  scene = "then all"       // to every call from the middle on
	fromOn   scene = "from the start" // to every call
	atCheck  scene = "at a check"     // to the friend_check of the account in the middle, once
	unharmed       = sceneEdges
)

// end is what a scene has to come to. Edges that are in none of the three counts are pending.
type end struct {
	exit                      int
	imported, already, failed int64
	calls                     int64 // exactly; 0: anything up to most
	most                      int64
	least                     time.Duration // it has to take
}

// callEnds is what the answer to a whole call comes to.
var callEnds = map[scene]map[consequence]end{
	once: {
		again:    {imported: unharmed, calls: 10},
		slow:     {imported: unharmed, calls: 10},
		halve:    {imported: unharmed, calls: 11},
		nobody:   {exit: 3, imported: 24, failed: 3, calls: 9},
		each:     {exit: 3, imported: 24, failed: 3, calls: 9},
		sign:     {imported: unharmed, calls: 10},
		stop:     {exit: 12, imported: 12, calls: 5},
		wrongApp: {exit: 3, imported: 24, failed: 3, calls: 9},
		unknown:  {imported: unharmed, calls: 10},
		silence:  {imported: unharmed, calls: 10},
		wrongWay: {imported: unharmed, calls: 10},
	},
	atFirst: {
		again:    {imported: unharmed, calls: 10},
		slow:     {imported: unharmed, calls: 10},
		halve:    {imported: unharmed, calls: 11},
		nobody:   {exit: 3, imported: 24, failed: 3, calls: 9},
		each:     {exit: 3, imported: 24, failed: 3, calls: 9},
		sign:     {imported: unharmed, calls: 10},
		stop:     {exit: 12, calls: 1},
		wrongApp: {imported: unharmed, calls: 10}, // one call says nothing yet
		unknown:  {imported: unharmed, calls: 10},
		silence:  {imported: unharmed, calls: 10},
		wrongWay: {exit: 12, calls: 1},
	},
	one: {
		again:    {exit: 3, imported: 24, failed: 3, most: 100, least: 10 * time.Minute},
		slow:     {exit: 4, imported: 24, most: 1000, least: 15 * time.Minute},
		halve:    {exit: 3, imported: 24, failed: 3, calls: 13}, // 8, and 5 to find three offenders among three
		nobody:   {exit: 3, imported: 24, failed: 3, calls: 9},
		each:     {exit: 3, imported: 24, failed: 3, calls: 9},
		sign:     {exit: 12, imported: 12, calls: 6},
		stop:     {exit: 12, imported: 12, calls: 5},
		wrongApp: {exit: 3, imported: 24, failed: 3, calls: 9},
		unknown:  {exit: 3, imported: 24, failed: 3, calls: 11},
		silence:  {exit: 4, imported: 24, most: 100, least: 10 * time.Minute},
		wrongWay: {exit: 4, imported: 24, most: 100, least: 10 * time.Minute},
	},
	thenAll: {
		again:    {exit: 4, imported: 12, most: 100, least: 15 * time.Minute},
		slow:     {exit: 4, imported: 12, most: 1000, least: 15 * time.Minute},
		halve:    {exit: 6, imported: 12, failed: 9, most: 21}, // three chunks, 5 calls each, and meanwhile the first call of the two others
		nobody:   {exit: 3, imported: 12, failed: 15, calls: 9},
		each:     {exit: 3, imported: 12, failed: 15, calls: 9},
		sign:     {exit: 12, imported: 12, calls: 6},
		stop:     {exit: 12, imported: 12, calls: 5},
		wrongApp: {exit: 3, imported: 12, failed: 15, calls: 9},
		unknown:  {exit: 4, imported: 12, most: 100, least: 15 * time.Minute},
		silence:  {exit: 4, imported: 12, most: 100, least: 15 * time.Minute},
		wrongWay: {exit: 4, imported: 12, most: 100, least: 15 * time.Minute},
	},
	fromOn: {
		again:    {exit: 4, most: 100, least: 15 * time.Minute},
		slow:     {exit: 4, most: 1000, least: 15 * time.Minute},
		halve:    {exit: 6, failed: 9, most: 21},
		nobody:   {exit: 3, failed: 27, calls: 9},
		each:     {exit: 3, failed: 27, calls: 9},
		sign:     {exit: 12, calls: 2},
		stop:     {exit: 12, calls: 1},
		wrongApp: {exit: 12, calls: 20},
		unknown:  {exit: 4, most: 100, least: 15 * time.Minute},
		silence:  {exit: 4, most: 100, least: 15 * time.Minute},
		wrongWay: {exit: 12, calls: 1},
	},
}

// itemEnds is what the code of an item comes to.
var itemEnds = map[scene]map[consequence]end{
	once: {
		later:   {imported: unharmed, calls: 10},
		already: {imported: 24, already: 3, calls: 9},
		failed:  {exit: 3, imported: 24, failed: 3, calls: 9},
	},
	one: {
		later:   {exit: 3, imported: 24, failed: 3, most: 100, least: 10 * time.Minute},
		already: {imported: 24, already: 3, calls: 9},
		failed:  {exit: 3, imported: 24, failed: 3, calls: 9},
	},
	fromOn: {
		later:   {exit: 4, most: 100, least: 15 * time.Minute},
		already: {already: 27, calls: 9},
		failed:  {exit: 3, failed: 27, calls: 9},
	},
}

// checkEnds is what an answer to friend_check comes to under --only-missing, in the middle of the
// job: what it can't say, friend_import is asked.
var checkEnds = map[consequence]end{
	again:    {imported: unharmed, most: 30},
	slow:     {imported: unharmed, most: 30},
	halve:    {imported: unharmed, most: 30},
	nobody:   {exit: 3, imported: 24, failed: 3, most: 30},
	each:     {exit: 3, imported: 24, failed: 3, most: 30},
	sign:     {imported: unharmed, most: 30},
	stop:     {exit: 12, imported: 12, calls: 9},
	wrongApp: {imported: 24, already: 3, most: 30},
	unknown:  {imported: unharmed, most: 30},
	silence:  {imported: unharmed, most: 30},
	wrongWay: {imported: unharmed, most: 30},
}

// quirks are the scenes of a code that its line of the contract doesn't tell.
var quirks = map[string]end{
	"item 30002 from the start": {exit: 12, calls: 20},              // on every item of the first 20 calls
	"call 70107 from the start": {exit: 12, calls: 2},               // the admin's own
	"call 70107 then all":       {exit: 12, imported: 12, calls: 6}, // the admin was removed meanwhile

	// Of an account it is believed when it comes again, and friend_get of the admin was answered
	// after both.
	"call 70107 at first":    {imported: unharmed, calls: 11},
	"call 70107 once":        {imported: unharmed, calls: 11},
	"call 70107 at a check":  {imported: unharmed, most: 30},
	"call 70107 one account": {exit: 3, imported: 24, failed: 3, calls: 12},
}

// TestEveryCode walks every code that the service is known to have, and some that it isn't known to
// have, on whole calls and on items, and every HTTP status, through stage, engine, client and
// journal, and holds where the edges end, the exit code and the number of calls against the
// contract.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	listed := map[int]bool{}
	walked := 0
	for _, a := range contract {
		listed[a.code] = true
	}
	for _, c := range sink.Codes() {
		if !listed[c.Code] {
			t.Errorf("code %d is in the program's table, but not in the contract's", c.Code)
		}
	}
	all := slices.Clone(contract)
	for _, code := range unlisted {
		if listed[code] {
			t.Errorf("code %d is in the contract", code)
		}
		all = append(all, answer{code, unknown, failed, ""})
	}
	for _, a := range all {
		a.everyScene(t, "call", simulator.Fault{Kind: simulator.FaultCode, Code: a.code}, &walked)
		for _, when := range scenes(itemEnds, a.item == later) {
			a.walk(t, "item", when, simulator.Fault{Kind: simulator.FaultItems, Code: a.code, Applied: a.item == already}, itemEnds[when][a.item])
			walked++
		}
	}
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		a := answer{code: status, call: statuses[status]}
		a.everyScene(t, "http", simulator.Fault{Kind: simulator.FaultStatus, Code: status}, &walked)
	}
	t.Logf("%d codes and %d HTTP statuses, %d scenes", len(all), len(statuses), walked)
}

// everyScene plays the scenes of an answer to a whole call.
func (a answer) everyScene(t *testing.T, level string, fault simulator.Fault, walked *int) {
	for _, when := range scenes(callEnds, a.code%7 == 0) {
		a.walk(t, level, when, fault, callEnds[when][a.call])
		*walked++
	}
	a.walk(t, level, atCheck, fault, checkEnds[a.call])
	*walked++
}

// scenes lists the scenes of a table. With -short only some codes have all of them: those of one
// consequence differ in nothing.
func scenes(table map[scene]map[consequence]end, all bool) []scene {
	if testing.Short() && !all {
		return []scene{once}
	}
	return slices.Sorted(maps.Keys(table))
}

// walk plays one scene.
func (a answer) walk(t *testing.T, level string, when scene, fault simulator.Fault, want end) {
	name := fmt.Sprintf("%s %d %s", level, a.code, when)
	if quirk, ok := quirks[name]; ok {
		want = quirk
	}
	t.Run(name, func(t *testing.T) {
		if want == (end{}) {
			t.Fatal("nothing is written of it")
		}
		synctest.Test(t, func(t *testing.T) {
			j := newJob(t, ring(sceneAccounts, sceneFriends))
			c := piped(t, simulator.Config{Script: when.script(j.order()[middle-1], fault)})
			e := j.run(t.Context(), c, flags{workers: 1, onlyMissing: when == atCheck})
			was := j.audit(c)
			want.judge(t, e, c, was)
			a.judgeTexts(t, level, e, was)
		})
	})
}

// script gives the fault to the calls of the scene.
func (s scene) script(victim string, fault simulator.Fault) func(simulator.Call) *simulator.Fault {
	return func(c simulator.Call) *simulator.Fault {
		hit := false
		switch s {
		case once:
			hit = c.Number == middle
		case atFirst:
			hit = c.Number == 1
		case one:
			hit = c.From == victim && c.API == "friend_import"
		case thenAll:
			hit = c.Number >= middle
		case fromOn:
			hit = true
		case atCheck:
			hit = c.API == "friend_check" && c.From == victim && c.Number < 2*middle
		}
		if hit && (fault.Kind != simulator.FaultItems || c.API == "friend_import") {
			return &fault
		}
		return nil
	}
}

// judge holds a run against what it has to come to.
func (w end) judge(t *testing.T, e ended, c *chat, a audit) {
	t.Helper()
	s := c.Stats()
	got := end{exit: e.exit, imported: a.totals.Imported, already: a.totals.Already, failed: a.totals.Failed, calls: s.Calls, most: w.most, least: w.least}
	if w.calls == 0 {
		got.calls = 0
	}
	if got != w {
		t.Errorf("%+v, want %+v (%v)", got, w, e.err)
	}
	if w.calls == 0 && s.Calls > w.most {
		t.Errorf("%d calls, want %d at most", s.Calls, w.most)
	}
	if e.took < w.least {
		t.Errorf("it took %v, want %v at least", e.took, w.least)
	}
	if e.sent.Attempts != s.Calls {
		t.Errorf("%d calls were sent, %d reached the service", e.sent.Attempts, s.Calls)
	}
}

// judgeTexts holds what is kept of the service's words against what they have to be.
func (a answer) judgeTexts(t *testing.T, level string, e ended, was audit) {
	t.Helper()
	for name, f := range was.failures {
		if f.Code != a.code || f.Info == "" || a.code/10000 == 3 && !strings.HasPrefix(f.Info, "Err_S") {
			t.Errorf("%s failed with %d %q", name, f.Code, f.Info)
		}
		if a.call == again && level == "call" && f.Attempts < 8 {
			t.Errorf("%s was given up after %d attempts", name, f.Attempts)
		}
	}
	if e.stop == nil {
		return
	}
	if e.exit == 6 && (e.stop.Brake == nil || e.stop.Code != a.code || e.stop.Brake.Text == "") {
		t.Errorf("stopped with code %d by %+v", e.stop.Code, e.stop.Brake)
	}
	if e.exit == 12 && (e.stop.Hint == "" || e.stop.Code != a.code || !strings.Contains(e.stop.Hint, a.hint)) {
		t.Errorf("stopped with code %d, hint %q, want %q in it", e.stop.Code, e.stop.Hint, a.hint)
	}
	if e.stop.Info == "" {
		t.Error("stopped without a word")
	}
}

// order lists the accounts in the order of the plan.
func (j *job) order() (list []string) {
	for r, err := range j.stage.Rosters(j.t.Context(), nil) {
		if err != nil {
			j.t.Fatal(err)
		}
		list = append(list, r.From)
	}
	return list
}
