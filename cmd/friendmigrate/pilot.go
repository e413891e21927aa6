package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"

	"go.uber.org/zap"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/source/stage"
)

// pilot is the accounts of --only-accounts and what the plan has of them.
type pilot struct {
	accounts map[string]bool // true: has a roster
	shard    settings.Shard  // whose rosters are looked at
	edges    int64           // of their rosters
	settled  int64           // of those, when the run began
	chunks   int64           // not settled when the run began
}

// maxPilotLine is far above any account id (32 bytes).
const maxPilotLine = 64 << 10

// loadPilot reads --only-accounts and looks the accounts up in the plan.
func (j *importJob) loadPilot(ctx context.Context) error {
	if j.set.Job.OnlyAccounts == "" {
		return nil
	}
	accounts, err := namedAccounts(ctx, "--only-accounts", j.set.Job.OnlyAccounts)
	if err != nil {
		return err
	}
	p := &pilot{accounts: accounts, shard: j.set.Job.Shard}
	for roster, err := range j.stage.Rosters(ctx, nil) {
		if err != nil {
			return j.planError(ctx, err)
		}
		if _, named := accounts[roster.From]; named {
			accounts[roster.From] = true
			p.take(roster, j.journal)
		}
	}
	j.pilot = p
	named, unknown, about := p.named(), p.unknown(), ""
	if p.shard.Count > 0 {
		about = fmt.Sprintf(" of shard %s (of %d in all)", p.shard, len(accounts))
	}
	j.log.Info(fmt.Sprintf("--only-accounts: %d of %d accounts%s have edges in the input, %d edges together", named-unknown, named, about, p.edges), event(eventPilot),
		zap.Int("accounts", named), zap.Int("unknown", unknown), zap.Int64("edges", p.edges))
	return nil
}

func (p *pilot) take(r migrate.Roster, journal migrate.Journal) {
	p.edges += r.Edges
	p.settled += r.Edges
	for i := range r.Chunks {
		n := int(min(migrate.MaxChunkEdges, r.Edges-int64(i)*migrate.MaxChunkEdges))
		open, _ := journal.Open(r.First+int64(i), n)
		if left := open.Len(); left > 0 {
			p.settled -= int64(left)
			p.chunks++
		}
	}
}

// unknown counts the accounts of this shard that have no roster.
func (p *pilot) unknown() (n int) {
	for from, known := range p.accounts {
		if !known && p.mine(from) {
			n++
		}
	}
	return n
}

// named counts the accounts of this shard.
func (p *pilot) named() (n int) {
	for from := range p.accounts {
		if p.mine(from) {
			n++
		}
	}
	return n
}

// digest tells one set of accounts from another.
func (p *pilot) digest() string {
	sum := sha256.New()
	for _, from := range slices.Sorted(maps.Keys(p.accounts)) {
		fmt.Fprintf(sum, "%q", from)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (p *pilot) mine(from string) bool {
	return p.shard.Count == 0 || stage.ShardOf(from, p.shard.Count) == p.shard.Index
}

// of filters a plan.
func (p *pilot) of(plan iter.Seq2[migrate.Roster, error]) iter.Seq2[migrate.Roster, error] {
	if p == nil {
		return plan
	}
	return func(yield func(migrate.Roster, error) bool) {
		for roster, err := range plan {
			if _, named := p.accounts[roster.From]; (named || err != nil) && !yield(roster, err) {
				return
			}
		}
	}
}

// namedAccounts reads the file of a flag.
func namedAccounts(ctx context.Context, flag, name string) (map[string]bool, error) {
	return await(ctx, flag, func() (map[string]bool, error) {
		accounts, err := readAccounts(name)
		if err != nil {
			err = fmt.Errorf("read %s: %w", flag, err)
		}
		return accounts, err
	})
}

// readAccounts reads one account id a line. Nothing of an id is trimmed but the end of its line.
func readAccounts(name string) (map[string]bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	accounts := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxPilotLine)
	for first := true; lines.Scan(); first = false {
		line := lines.Bytes() // without CR LF
		if first {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if len(line) > 0 {
			accounts[string(line)] = false
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	if len(accounts) == 0 {
		return nil, fmt.Errorf("%q names no account", name)
	}
	return accounts, nil
}

// account adds up what became of the pilot. failed is by account.
func (p *pilot) account(settledByRun, failed int64) *report.Pilot {
	if p == nil {
		return nil
	}
	return &report.Pilot{
		Accounts: int64(p.named()), Unknown: int64(p.unknown()), Edges: p.edges, Failed: failed, Pending: p.edges - p.settled - settledByRun,
	}
}

// rejected counts the rejected rows that name an account of the pilot in any of their fields. A rejected row may be too broken to tell which of them is
// From_Account; counting one too many only makes somebody look.
func (p *pilot) rejected(state string) (int64, error) {
	f, err := os.Open(state + string(os.PathSeparator) + folder.Rejected)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	rows := csv.NewReader(f)
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	count := int64(0)
	for first := true; ; first = false {
		row, err := rows.Read()
		if err == io.EOF {
			return count, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", folder.Rejected, err)
		}
		if !first && len(row) == 5 && p.namedIn(row[4]) { // Input,Line,Column,Reason,Row
			count++
		}
	}
}

func (p *pilot) namedIn(raw string) bool {
	for _, field := range inspect.RowFields(raw) {
		if _, named := p.accounts[field]; named {
			return true
		}
	}
	return false
}
