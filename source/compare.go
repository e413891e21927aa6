package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/objects"
)

// Input is what a job records about one of its inputs.
type Input struct {
	Name   string `json:"name"`   // as the user named it, a file of a folder with the folder's name before it
	Format string `json:"format"` // CSV or JSONL
	Digest string `json:"digest"` // SHA-256 of the whole raw content (compressed if it is), in hex

	// Size is the bytes of the raw content; times are nanoseconds since 1970. Compare trusts them:
	// if these four are unchanged, the content is. For an object it trusts Name, Size, ModTime and
	// ETag.
	Size       int64  `json:"size"`
	ModTime    int64  `json:"mtime,omitempty"`
	ChangeTime int64  `json:"ctime,omitempty"`
	Inode      uint64 `json:"inode,omitempty"`
	ETag       string `json:"etag,omitempty"`

	Std bool `json:"stdin,omitempty"` // standard input, or another stream without a stat to trust
}

// Match is Compare's verdict on a job's inputs.
type Match uint8

// The matches.
const (
	Same Match = iota // the job's inputs, or a standard input that cannot show otherwise
	// some no longer exist or their store does not show them, and the others show no difference
	Gone
	Different // another job's inputs
)

// Comparison is what a rerun finds out about its inputs.
type Comparison struct {
	Match   Match
	Reasons []string // Gone, Different: which and why, in words
	Inputs  []Input  // as they are now, for UpdateInputs
	Updated bool     // Inputs differ from the recorded ones: same content, other stat
	LeftOut LeftOut  // what folders hold that is not read
}

// Compare compares the inputs of a request with those that a sealed stage was made from. If what it
// trusts (see Input) differs, it reads the whole raw content again and compares digests. Names of
// files don't matter, the order does. Rows are not read. If a store cannot be reached, or
// refuses (a token expires while a job is stopped), the result is as if the object were gone, so
// that the job can go on with the staged input.
//
// Of the request only the fields that name and open inputs count. Stdin is read for "-"; nil (a
// terminal) or an empty one shows no difference. The error is a failure to read, or an *InputError
// for inputs that can never be used.
func Compare(ctx context.Context, recorded []Input, now Request) (Comparison, error) {
	if now.FS == nil {
		now.FS = disk.OS{}
	}
	c := comparer{ctx: ctx, request: now, result: Comparison{Inputs: slices.Clone(recorded)}}
	defer c.progress.watch(now.Waits)()
	names, err := c.resolve(len(recorded))
	if err != nil {
		return Comparison{}, err
	}
	c.result.LeftOut = c.request.left
	if len(names) != len(recorded) {
		c.differ(fmt.Sprintf("there are %d inputs, the job has %d", len(names), len(recorded)))
		return c.result, nil
	}
	for i, name := range names {
		if err := c.compareInput(i, name); err != nil {
			return Comparison{}, err
		}
	}
	return c.result, nil
}

type comparer struct {
	ctx      context.Context
	request  Request
	progress readProgress
	result   Comparison
}

func (c *comparer) differ(reason string) {
	if c.result.Match != Different {
		c.result.Match, c.result.Reasons = Different, nil
	}
	c.result.Reasons = append(c.result.Reasons, reason)
}

func (c *comparer) gone(name, how string) {
	if c.result.Match == Different {
		return
	}
	c.result.Match = Gone
	c.result.Reasons = append(c.result.Reasons, fmt.Sprintf("%q %s", name, how))
}

// resolve is like Resolve but accepts arguments that no longer exist. A folder that is gone may
// have held any number of inputs; one such argument stands for all missing inputs.
func (c *comparer) resolve(want int) ([]Found, error) {
	var names []Found
	first, empty := -1, -1 // index of the first argument that is gone, and of the first empty folder
	for _, arg := range c.request.Inputs {
		list, err := c.request.expand(c.ctx, arg)
		if how := away(err); how != "" {
			c.gone(arg, how)
			if first < 0 {
				first = len(names)
			}
			names = append(names, Found{})
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(list) == 0 && empty < 0 {
			empty = len(names)
		}
		names = append(names, list...)
	}
	if first < 0 && empty >= 0 && len(names) < want {
		c.gone(c.request.left.Empty[0], "is empty now")
		first = empty
	}
	if first >= 0 && len(names) < want {
		names = slices.Insert(names, first, make([]Found, want-len(names))...)
	}
	return names, nil
}

// away says how an argument is out of reach for now; "" for other errors and for none.
func away(err error) string {
	answer, stored := errors.AsType[*objects.Error](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "is gone"
	case errors.Is(err, ErrUnreachable):
		return "cannot be reached"
	case stored:
		return "cannot be read: " + answer.Reason
	}
	return ""
}

// compareInput compares one input with the recorded one, by its stat if that can be trusted, else
// by its digest.
func (c *comparer) compareInput(i int, found Found) error {
	was, name := c.result.Inputs[i], found.Name
	if name == "" || name == Standard && c.request.Stdin == nil || found.unchanged(was) {
		return nil
	}
	now, err := c.digest(name)
	if err != nil {
		return err
	}
	switch {
	case now.Digest == was.Digest:
		if now.Format = was.Format; now.ETag == "" {
			now.Name = was.Name // the name of an object is trusted, so it is kept
		}
		c.result.Inputs[i] = now
		c.result.Updated = c.result.Updated || now != was
	case name == Standard && now.Size == 0:
	default:
		text := fmt.Sprintf("%q has other content than the job's input %d", name, i+1)
		if was.Name != "" {
			text += fmt.Sprintf(", %q", was.Name)
		}
		c.differ(text)
	}
	return nil
}

// unchanged reports whether an input is known to be unchanged without reading it. For an object the
// name counts too, and an object without an ETag must be read.
func (in Input) unchanged(was Input) bool {
	if in.Std || was.Std || objects.IsName(in.Name) && (in.ETag == "" || in.Name != was.Name) {
		return false
	}
	was.Name, was.Format, was.Digest = in.Name, in.Format, in.Digest
	return in == was
}

func (c *comparer) digest(name string) (Input, error) {
	o := opener{fs: c.request.FS, stdin: c.request.Stdin, objects: c.request.Objects, progress: &c.progress}
	in, err := o.openRaw(c.ctx, name)
	if err != nil {
		return Input{}, err
	}
	defer in.close()
	if err := in.finish(); err != nil {
		return Input{}, err
	}
	return in.Input, nil
}
