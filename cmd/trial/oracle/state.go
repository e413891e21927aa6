package oracle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/trial/lab"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/stage"
)

// place is an edge by its place in the plan.
type place struct {
	chunk int64
	index int
}

// state is what a state folder says while nobody is at work in it.
type state struct {
	totals  checkpoint.Totals
	settled map[place]migrate.Outcome
	plan    map[place]lab.Pair // empty while no stage is sealed
}

// readState reads journal and stage as the program does, for looking only.
func readState(folder string) *state {
	s := &state{settled: map[place]migrate.Outcome{}, plan: map[place]lab.Pair{}}
	journal, err := checkpoint.Open(disk.OS{}, folder, checkpoint.Options{ReadOnly: true})
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
