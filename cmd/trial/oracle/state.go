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
func readState(folder string) (*state, error) {
	s := &state{settled: map[place]migrate.Outcome{}, plan: map[place]lab.Pair{}}
	if err := s.readJournal(folder); err != nil {
		return nil, err
	}
	return s, s.readStage(folder)
}

func (s *state) readJournal(folder string) (err error) {
	j, err := checkpoint.Open(disk.OS{}, folder, checkpoint.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	s.totals = j.Totals()
	for one, err := range j.Settlements(0, j.Identity().Chunks) {
		if err != nil {
			return err
		}
		if at := (place{one.Ordinal, one.Index}); one.Reopened {
			delete(s.settled, at)
		} else if _, twice := s.settled[at]; twice {
			return fmt.Errorf("edge %d of chunk %d is settled twice", at.index, at.chunk)
		} else {
			s.settled[at] = one.Outcome
		}
	}
	return nil
}

func (s *state) readStage(folder string) (err error) {
	staged, err := stage.Open(filepath.Join(folder, "staged"), nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, staged.Close()) }()
	for roster, err := range staged.Rosters(context.Background(), nil) {
		if err != nil {
			return err
		}
		for i := range roster.Chunks {
			chunk, err := roster.Load(i)
			if err != nil {
				return err
			}
			for n := range chunk.Edges {
				s.plan[place{chunk.Ordinal, n}] = lab.Pair{From: chunk.From, To: chunk.Edges[n].To}
			}
		}
	}
	return nil
}
