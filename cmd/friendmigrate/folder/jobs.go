package folder

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/settings"
)

// ErrNoJob is what every error is that says that a folder holds no state.
var ErrNoJob = errors.New("there is no job")

// Place is where the state of a job lies, or that of one of its shards.
type Place struct {
	Dir   string
	Shard settings.Shard // zero: the whole job
}

// Find lists the states in base: its own, and those of shards, by number.
func Find(base string) ([]Place, error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %q: there is no such folder", ErrNoJob, base)
	}
	if err != nil {
		return nil, fmt.Errorf("look into the state folder: %w", err)
	}
	pattern := regexp.MustCompile(`^shard-(\d+)-of-(\d+)$`)
	var places []Place
	own := false
	for _, e := range entries {
		switch found := pattern.FindStringSubmatch(e.Name()); {
		case found != nil && e.IsDir():
			index, _ := strconv.Atoi(found[1])
			count, _ := strconv.Atoi(found[2])
			places = append(places, Place{filepath.Join(base, e.Name()), settings.Shard{Index: index, Count: count}})
		case e.Name() == checkpoint.FileName, e.Name() == Progress, e.Name() == Staged:
			own = true
		}
	}
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Shard.Count, b.Shard.Count), cmp.Compare(a.Shard.Index, b.Shard.Index))
	})
	if own {
		places = append([]Place{{Dir: base}}, places...)
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("%w in %q", ErrNoJob, base)
	}
	return places, nil
}
