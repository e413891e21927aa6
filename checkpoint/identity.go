package checkpoint

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
)

// Identity identifies the job that a journal belongs to. It is the journal's first frame, as JSON,
// and never changes.
type Identity struct {
	SDKAppID uint64   `json:"sdkAppID"`
	Target   string   `json:"target"` // region or endpoint; a region and its backup host are one target
	Inputs   []string `json:"inputs"` // digest of the whole raw content of each input, in order
	// the command, and the flags that change the meaning of a row, by name with dashes, with
	// values in canonical form
	Options map[string]string `json:"options"`
	Shard   int               `json:"shard"`
	Shards  int               `json:"shards"` // 0 or 1: the whole job

	Edges      int64  `json:"edges"`  // distinct edges in the plan, Added ones included
	Chunks     int64  `json:"chunks"` // ordinals run from 0 to Chunks-1
	Rows       int64  `json:"rows"`   // rows read, the rejected ones included
	Rejected   int64  `json:"rejected"`
	Duplicates int64  `json:"duplicates"`
	Added      int64  `json:"added"` // edges that no row asked for (--mutual)
	PlanDigest string `json:"planDigest"`

	Created   time.Time `json:"created"`
	Rehearsal bool      `json:"rehearsal"`
}

// Differs returns the differences between the recorded job a and the job b, as text for the user:
// "--map was "", is "x"". It compares only what makes it another job, not the plan (see
// PlanDiffers) or the time. It returns nil if they are the same job.
func (a Identity) Differs(b Identity) []string {
	var words []string
	differ := func(what, was, is string) {
		if was != is {
			words = append(words, fmt.Sprintf("%s was %s, is %s", what, was, is))
		}
	}
	differ("it", a.rehearsalWord(), b.rehearsalWord())
	differ("SDKAppID", fmt.Sprint(a.SDKAppID), fmt.Sprint(b.SDKAppID))
	differ("region or endpoint", strconv.Quote(a.Target), strconv.Quote(b.Target))
	words = append(words, inputsDiffer(a.Inputs, b.Inputs)...)
	names := slices.Concat(slices.Collect(maps.Keys(a.Options)), slices.Collect(maps.Keys(b.Options)))
	slices.Sort(names)
	if a.Command() != b.Command() { // which fill in options of their own, that nobody gave
		names = []string{CommandOption}
	}
	for _, name := range slices.Compact(names) { // absent and empty are the same to every flag
		was, is := a.Options[name], b.Options[name]
		if name == CommandOption {
			was, is = a.Command(), b.Command()
		}
		differ(name, strconv.Quote(was), strconv.Quote(is))
	}
	differ("--shard", a.shardWord(), b.shardWord())
	return words
}

// IdentityOf reads only the identity of the journal in the folder dir. It needs no lock.
func IdentityOf(fsys disk.FS, dir string) (id Identity, err error) {
	file, err := disk.Open(fsys, filepath.Join(dir, FileName))
	if err != nil {
		return id, err
	}
	defer file.Close() // read only
	frames, err := openFrames(file, headerSize+frameHeaderSize+maxIdentity)
	if err != nil {
		return id, err
	}
	payload, _, err := frames.read()
	if err != nil {
		return id, err
	}
	state, err := replayIdentity(payload, nil)
	if err != nil {
		return id, err
	}
	return state.id, nil
}

// PlanDiffers returns the difference between the plans of a and b as text, or "". Two plans of one
// job differ only if the staged input was damaged or was built by another version of the program.
// Then settled chunks of one plan mean nothing in the other.
func (a Identity) PlanDiffers(b Identity) string {
	plan := func(i Identity) string {
		return fmt.Sprintf("%d rows, %d of them rejected and %d duplicates, %d added edges, %d edges in %d chunks, %q",
			i.Rows, i.Rejected, i.Duplicates, i.Added, i.Edges, i.Chunks, i.PlanDigest)
	}
	if was, is := plan(a), plan(b); was != is {
		return fmt.Sprintf("the plan was %s; it is %s", was, is)
	}
	return ""
}

func inputsDiffer(was, is []string) []string {
	if slices.Equal(was, is) {
		return nil
	}
	if len(was) != len(is) {
		return []string{fmt.Sprintf("the number of inputs was %d, is %d", len(was), len(is))}
	}
	if slices.Equal(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(is))) {
		return []string{"the inputs are the same, but their order is another"}
	}
	var words []string
	for i := range was {
		if was[i] != is[i] {
			words = append(words, fmt.Sprintf("the content of input %d of %d was %s, is %s", i+1, len(was),
				short(was[i]), short(is[i])))
		}
	}
	return words
}

func (a Identity) rehearsalWord() string {
	if a.Rehearsal {
		return "a rehearsal"
	}
	return "a real run"
}

func (a Identity) shardWord() string {
	if a.Shards <= 1 {
		return "none"
	}
	return fmt.Sprintf("%d/%d", a.Shard, a.Shards)
}

// short shortens a digest to the part that a person compares.
func short(digest string) string {
	if len(digest) > 16 {
		return digest[:16] + "…"
	}
	return fmt.Sprintf("%q", digest)
}

// CommandOption is the option that holds the command of a job other than an import.
const CommandOption = "the command"

// Command returns the command of the job.
func (a Identity) Command() string { return cmp.Or(a.Options[CommandOption], "import") }

// check returns an error if the numbers cannot be those of a job. An undo has the chunks of its job
// and perhaps fewer edges than those.
func (a Identity) check() error {
	if a.Chunks < 0 || a.Chunks > maxChunks || a.Edges < 0 || a.Edges > a.Chunks*migrate.MaxChunkEdges {
		return fmt.Errorf("a job of %d edges in %d chunks cannot be", a.Edges, a.Chunks)
	}
	return nil
}
