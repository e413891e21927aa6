package job

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/source"
	"friendmigrate/source/accountlist"
	"friendmigrate/source/stage"
)

// Pilot is the accounts of --only-accounts and their part of the plan.
type Pilot struct {
	line     exit.CommandLine // of the command
	list     *accountlist.File
	accounts map[string]bool // true: has a roster
	order    []string        // those with a roster, as in the plan; nil: a pass over it is cheaper
	shard    settings.Shard  // whose rosters count
	edges    int64           // of their rosters
	settled  int64           // edges that were settled when the run began
	chunks   int64           // that were not settled when the run began
}

// cheaperPass is the number of rosters that a pass over the plan reads in the time of one look-up.
const cheaperPass = 1000

// pilotBytes is the memory that an account of a pilot takes. Half of --memory may be used for them.
const pilotBytes = 100

// OpenPilot reads --only-accounts. It returns nil if that is not given.
func (j *Job) OpenPilot(ctx context.Context) (*Pilot, error) {
	of := j.Set.Job
	if of.OnlyAccounts == "" {
		return nil, nil
	}
	if of.OnlyAccounts == source.Standard && slices.Contains(j.Inputs, source.Standard) {
		return nil, Unusable(j.Line().With("only-accounts", "FILE"),
			"--only-accounts and INPUT are both standard input, which can be read once only")
	}
	list, err := j.OpenAccounts(ctx, "--only-accounts", of.OnlyAccounts)
	if err != nil {
		return nil, err
	}
	if need := 2 * pilotBytes * list.Count; of.Memory > 0 && need > of.Memory {
		return nil, Unusable(j.Line().With("memory", fmt.Sprintf("%dMiB", need>>20+1)),
			"--only-accounts has %s, which are kept in memory: too many for --memory",
			terminal.Some(list.Count, "account"))
	}
	named, err := list.Set(ctx)
	return &Pilot{line: j.Line(), list: list, accounts: named, shard: of.Shard}, err
}

// Has reports whether an account of the pilot has a roster. Call Find before.
func (p *Pilot) Has(from string) bool { return p.accounts[from] }

// Find looks up the accounts in the plan and passes their rosters to take, which may be nil. The
// warning names accounts without an edge. It is an error if no account has an edge, except in a
// shard.
func (p *Pilot) Find(ctx context.Context, s *stage.Stage, take func(migrate.Roster) error) (warning string, err error) {
	if err := p.sort(s); err != nil {
		return "", err
	}
	p.edges, p.settled, p.chunks = 0, 0, 0
	for roster, err := range p.Rosters(ctx, s, nil) {
		if err != nil {
			return "", err
		}
		p.accounts[roster.From] = true
		if p.edges += roster.Edges; take != nil {
			if err := take(roster); err != nil {
				return "", err
			}
		}
	}
	return p.withoutEdge(ctx)
}

// withoutEdge returns Find's warning or error, after the edges were counted.
func (p *Pilot) withoutEdge(ctx context.Context) (warning string, err error) {
	switch unknown := p.Unknown(); {
	case p.edges == 0 && p.shard.Count == 0:
		return "", p.NoEdges()
	case unknown > 0:
		return p.unknownWords(ctx, unknown)
	}
	return "", nil
}

// sort sets the order of the accounts in the plan, if they are few.
func (p *Pilot) sort(s *stage.Stage) error {
	if int64(len(p.accounts))*cheaperPass > s.Totals().Rosters {
		return nil
	}
	first := map[string]int64{}
	for from := range p.accounts {
		roster, ok, err := s.Find(from)
		if err != nil {
			return err
		}
		if ok {
			first[from] = roster.First
		}
	}
	byPlan := func(a, b string) int { return cmp.Compare(first[a], first[b]) }
	p.order = append([]string{}, slices.SortedFunc(maps.Keys(first), byPlan)...) // never nil
	return nil
}

// Rosters yields the pilot's part of a plan, or all of it if p is nil. See stage.Rosters for skip.
func (p *Pilot) Rosters(
	ctx context.Context, s *stage.Stage, skip func(first int64, chunks int) bool,
) iter.Seq2[migrate.Roster, error] {
	if p == nil {
		return s.Rosters(ctx, skip)
	}
	return func(yield func(migrate.Roster, error) bool) {
		for _, from := range p.order {
			roster, _, err := s.Find(from)
			if err == nil && skip != nil && skip(roster.First, roster.Chunks) {
				continue
			}
			if !yield(roster, err) || err != nil {
				return
			}
		}
		if p.order != nil {
			return
		}
		for roster, err := range s.Rosters(ctx, skip) {
			if _, named := p.accounts[roster.From]; (named || err != nil) && !yield(roster, err) {
				return
			}
		}
	}
}

// NoEdges returns the error about a list none of whose accounts has an edge.
func (p *Pilot) NoEdges() error {
	first := p.list.First
	hint := "head -n 3 " + exit.Quote(p.list.Name) + " | cat -A"
	if p.list.Stream {
		hint = p.line.String()
	}
	hint += fmt.Sprintf(" # line %d was read as %q, and no From_Account is exactly that", first.Line, first.ID)
	return exit.Errorf(exit.Unusable, hint, "--only-accounts %q: none of its %s has an edge here; nothing was sent",
		p.list.Name, terminal.Some(p.list.Count, "account"))
}

// unknownWords returns a warning that names the first accounts without an edge.
func (p *Pilot) unknownWords(ctx context.Context, unknown int) (string, error) {
	const most = 3
	var names []string
	for a, err := range p.list.All(ctx) {
		if err != nil {
			return "", err
		}
		if !p.accounts[a.ID] && p.mine(a.ID) {
			if names = append(names, fmt.Sprintf("%q (line %d)", a.ID, a.Line)); len(names) == most {
				break
			}
		}
	}
	text := strings.Join(names, ", ")
	if more := unknown - len(names); more > 0 {
		text += fmt.Sprintf(" and %s more", terminal.Count(int64(more)))
	}
	return fmt.Sprintf("--only-accounts %q: %s no edge here: %s",
		p.list.Name, terminal.HasHave(int64(unknown), "account"), text), nil
}

// Count counts edges of an account, if it is one of the pilot, where there is no stage for Find.
func (p *Pilot) Count(from string, edges int) (named bool) {
	if _, named = p.accounts[from]; named {
		p.accounts[from] = true
		p.edges += int64(edges)
	}
	return named
}

// Planned describes the pilot's part of a plan of all accounts, whose edges were given to Count.
func (p *Pilot) Planned(ctx context.Context) (string, error) {
	warning, err := p.withoutEdge(ctx)
	text := fmt.Sprintf("--only-accounts: this plan is of all accounts; those named have %s",
		terminal.Some(p.edges, "edge"))
	return strings.TrimSuffix(text+"; "+warning, "; "), err
}

// OfShard returns the pilot of one shard.
func (p *Pilot) OfShard(shard settings.Shard) *Pilot {
	if p == nil {
		return nil
	}
	one := *p
	one.accounts, one.shard = maps.Clone(p.accounts), shard
	return &one
}

// loadPilot looks up the accounts of --only-accounts in the plan.
func (j *Run) loadPilot(ctx context.Context, p *Pilot) error {
	if p == nil || j.Counts.NoRows() { // no account has an edge in an empty input
		return nil
	}
	warning, err := j.countPilot(ctx, p)
	if err != nil {
		return err
	}
	if warning != "" {
		j.Log.Warn(warning, Event("pilot"), zap.Int("unknown", p.Unknown()))
	}
	named := p.Named()
	j.Log.Info(fmt.Sprintf("--only-accounts: %s with %s in the input",
		terminal.Some(int64(named-p.Unknown()), "account"), terminal.Some(p.edges, "edge")),
		Event("pilot"), zap.Int("accounts", named), zap.Int64("edges", p.edges))
	j.Pilot = p
	return nil
}

// countPilot counts what the plan has of a pilot, and how much of that is settled.
func (j *Run) countPilot(ctx context.Context, p *Pilot) (warning string, err error) {
	warning, err = p.Find(ctx, j.Stage, func(r migrate.Roster) error { return p.countRoster(r, j) })
	if err != nil {
		err = j.planError(ctx, err)
	}
	return warning, err
}

// countRoster counts those edges of a roster that the run is about, and how many of them are
// settled.
func (p *Pilot) countRoster(r migrate.Roster, j *Run) error {
	for i := range r.Chunks {
		ordinal, n := r.First+int64(i), r.Size(i)
		part := migrate.FullSet(n)
		if j.Op.Part != nil {
			var err error
			if part, err = j.Op.Part(ordinal, n); err != nil {
				return err
			}
			p.edges -= int64(n - part.Len())
		}
		open, _ := j.Journal.Unsettled(ordinal, n)
		left := open.And(part).Len()
		if p.settled += int64(part.Len() - left); left > 0 {
			p.chunks++
		}
	}
	return nil
}

// Unknown returns the number of accounts of this shard without a roster.
func (p *Pilot) Unknown() (n int) {
	for from, known := range p.accounts {
		if !known && p.mine(from) {
			n++
		}
	}
	return n
}

// Named returns the number of accounts of this shard.
func (p *Pilot) Named() (n int) {
	for from := range p.accounts {
		if p.mine(from) {
			n++
		}
	}
	return n
}

// Digest returns a hash of the set of accounts.
func (p *Pilot) Digest() string {
	sum := sha256.New()
	for _, from := range slices.Sorted(maps.Keys(p.accounts)) {
		fmt.Fprintf(sum, "%q", from)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (p *Pilot) mine(from string) bool {
	return p.shard.Count == 0 || stage.ShardOf(from, p.shard.Count) == p.shard.Index
}

// sums returns the sums of the pilot. failed is the number of failed edges of its accounts.
func (p *Pilot) sums(settledByRun, failed int64) *report.Pilot {
	return &report.Pilot{
		Accounts: int64(p.Named()), Unknown: int64(p.Unknown()), Edges: p.edges, Failed: failed,
		Pending: p.edges - p.settled - settledByRun,
	}
}

// Rejected returns the number of rejected rows that have an account of the pilot in any field. A
// rejected row may be too broken to show which field is From_Account. Counting one too many does no
// harm: the user looks at it.
func (p *Pilot) Rejected(state string) (n int64, err error) {
	isNamed := func(field string) bool {
		_, named := p.accounts[field]
		return named
	}
	for cell, err := range folder.Rows(filepath.Join(state, folder.Rejected)) {
		if err != nil {
			return 0, err
		}
		if slices.ContainsFunc(inspect.RowFields(cell("Row")), isNamed) {
			n++
		}
	}
	return n, nil
}
