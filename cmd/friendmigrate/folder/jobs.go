package folder

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate/disk"
)

// ErrNoJob is wrapped by every error that says that a folder holds no state.
var ErrNoJob = errors.New("there is no job")

// Place is the folder of a job's state, or that of one of its shards.
type Place struct {
	Dir   string
	Shard settings.Shard // zero: the whole job
}

// Find returns the states in base: its own, and those of shards, by number.
func Find(base string) ([]Place, error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w in %q: there is no such folder", ErrNoJob, base)
	}
	if err != nil {
		return nil, fmt.Errorf("look into the state folder: %w", err)
	}
	places := shardsIn(base, entries)
	slices.SortFunc(places, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Shard.Count, b.Shard.Count), cmp.Compare(a.Shard.Index, b.Shard.Index))
	})
	own := []string{checkpoint.FileName, Progress, Staged}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return slices.Contains(own, e.Name()) }) {
		places = append([]Place{{Dir: base}}, places...)
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("%w in %q", ErrNoJob, base)
	}
	return withoutRemains(places), nil
}

// shardsIn returns the folders of shards among the entries of base.
func shardsIn(base string, entries []fs.DirEntry) (places []Place) {
	for _, e := range entries {
		if shard, found := shardNamed(e.Name()); found && e.IsDir() {
			places = append(places, Place{filepath.Join(base, e.Name()), shard})
		}
	}
	return places
}

// Known reports whether base is a state folder: it holds a state, or the lock of a run that is
// about to create one.
func Known(base string) bool {
	_, err := Find(base)
	_, locked := os.Lstat(filepath.Join(base, checkpoint.LockName))
	return err == nil || locked == nil
}

// withoutRemains leaves out what runs with another number of shards left before they sent anything.
// CheckNeighbours allows no other state next to a job.
func withoutRemains(places []Place) []Place {
	i := slices.IndexFunc(places, func(p Place) bool { return begun(p.Dir) })
	if i < 0 {
		return places
	}
	division := places[i].Shard.Count
	return slices.DeleteFunc(places, func(p Place) bool { return p.Shard.Count != division && !begun(p.Dir) })
}

// NotBegun returns the shards of a job that have no state among places.
func NotBegun(places []Place) (missing []settings.Shard) {
	there := map[settings.Shard]bool{}
	most := 0
	for _, p := range places {
		there[p.Shard] = true
		most = max(most, p.Shard.Count)
	}
	for i := range most {
		if s := (settings.Shard{Index: i, Count: most}); !there[s] {
			missing = append(missing, s)
		}
	}
	return missing
}

// OwnShard returns the shard whose folder dir is, by its name and its journal.
func OwnShard(dir string) (s settings.Shard, is bool) {
	absolute, err := filepath.Abs(dir)
	if s, is = shardNamed(filepath.Base(absolute)); err != nil || !is {
		return s, false
	}
	id, err := checkpoint.IdentityOf(disk.OS{}, dir)
	return s, err == nil && s == settings.Shard{Index: id.Shard, Count: id.Shards}
}

// OtherJobs returns the identities of the shards in places that are of another job than the shard
// id, and says how the first of them differs. Inputs are not compared if id has none. A journal that
// cannot be read says nothing: the next run of its shard compares it with the others.
func OtherJobs(places []Place, id checkpoint.Identity) (others []checkpoint.Identity, text string) {
	for _, p := range places {
		one, err := checkpoint.IdentityOf(disk.OS{}, p.Dir)
		if err != nil || p.Shard.Count == 0 || p.Shard.Index == id.Shard {
			continue
		}
		mine := id
		if mine.Shard, mine.Shards = one.Shard, one.Shards; id.Inputs == nil {
			mine.Inputs = one.Inputs
		}
		how := one.Differs(mine)
		if len(how) == 0 {
			continue
		}
		if others = append(others, one); len(others) == 1 {
			text = fmt.Sprintf("shard %d/%d is not a share of the job of shard %s: %s", id.Shard, id.Shards, p.Shard,
				strings.Join(how, "; "))
		}
	}
	return others, text
}

// Mixed says which shards in places are of different jobs; "" if none is seen to be.
func Mixed(places []Place) string {
	for _, p := range places {
		id, err := checkpoint.IdentityOf(disk.OS{}, p.Dir)
		if err != nil {
			continue
		}
		others, text := OtherJobs(places, id)
		for i := 1; i < len(others); i++ {
			text += fmt.Sprintf("; nor of that of %d/%d", others[i].Shard, others[i].Shards)
		}
		return text
	}
	return ""
}
