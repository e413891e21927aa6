package job

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"friendmigrate/cmd/friendmigrate/settings"
)

// CheckInputs returns an error if the arguments of a command that needs INPUT cannot be used. It
// does not read them.
func (j *Job) CheckInputs() error {
	if len(j.Inputs) == 0 {
		return Unusable(j.Completed(j.Line().Of("INPUT")),
			"no INPUT: name a file, a folder, s3://BUCKET/KEY, or - for standard input")
	}
	if err := j.CheckBase(); err != nil {
		return err
	}
	for i, in := range j.Inputs {
		if _, err := os.Lstat(in); in != "-" && errors.Is(err, fs.ErrNotExist) {
			if err := j.strayValue(i); err != nil {
				return err
			}
		}
	}
	if j.Set.Job.Shard.Count > 0 && slices.Contains(j.Inputs, "-") {
		return Unusable(j.Line().Of("FILE"),
			"standard input cannot be divided among shards: each of them would need all of it; give a file")
	}
	return nil
}

// strayValue returns the error about an argument that was meant as the value of a flag, or nil.
func (j *Job) strayValue(i int) error {
	in := j.Inputs[i]
	rest := slices.Delete(slices.Clone(j.Inputs), i, i+1)
	switch {
	case in == "true" || in == "false":
		return Unusable(j.Line().Of(rest...),
			"there is no INPUT %q; as the value of a switch it has to follow =, such as --mutual=%s", in, in)
	case !j.Line().Has("retry-failed") || len(j.Set.Job.RetryCodes) > 0 || !settings.LooksLikeCodes(in):
		return nil
	case len(rest) == 0:
		rest = []string{"INPUT"}
	}
	return Unusable(j.Line().Without("retry-failed").WithWord("--retry-failed="+in).Of(rest...),
		"there is no INPUT %q; as the codes of --retry-failed it has to follow =", in)
}

// Base returns the state folder, above those of shards.
func (j *Job) Base() string {
	switch {
	case !j.Set.Service.Rehearse:
		return j.Set.Job.State
	case j.Set.Job.StateGiven:
		return filepath.Join(j.Set.Job.State, settings.RehearsalFolder)
	}
	return settings.RehearsalFolder
}
