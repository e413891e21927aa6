package settings

import (
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/source"
)

// importOf fills in the command line of the import that a manifest describes, and checks it as import would.
func (r *reader) importOf(o *manifest.Options, extra []string) {
	given := r.extra(extra)
	told := map[string][]string{}
	say := func(name, value string) {
		told[name] = []string{value}
		o.Flags = append(o.Flags, "--"+name+"="+value)
	}
	state, origin, ok := r.last("state")
	if !ok {
		state = DefaultState
	}
	say("state", r.inVolume(origin, state))
	for _, name := range []string{"sdk-app-id", "identifier", "region", "backup-host", "endpoint", "rate", "timeout", flagMaximum} {
		if value, _, ok := r.last(name); ok && !r.outdone(name) {
			say(name, value)
		}
	}
	say("memory", r.text("memory", "256MiB")) // told also by default: the container's limit is made from it, and not the other way round
	if o.MetricsPort = r.listenPort(o.PodMonitor); o.MetricsPort > 0 {
		say("listen", r.text("listen", defaultListen))
		say("linger", r.text("linger", defaultLinger.String()))
		r.duration("linger", defaultLinger, 0, 24*time.Hour)
	}
	for _, f := range given {
		told[f.name] = append(told[f.name], f.value)
		o.Flags = append(o.Flags, f.word)
	}
	for _, word := range o.Flags {
		if name, _, _ := strings.Cut(word, "="); strings.ContainsFunc(word, control) {
			r.problem("%s has unusual characters in its value", name)
		}
	}
	r.checkImport(o, told)
}

// ErrNoFormat is what every error is that says that --format helps.
var ErrNoFormat = errors.New("its name says no format")

// checkFormats refuses inputs whose names say that they are files, and not of which format. Import would
// do so too.
func (r *reader) checkFormats() {
	values, origin := r.look("input")
	for _, value := range values {
		_, key, inFolder := strings.Cut(strings.TrimPrefix(value, "s3://"), "/")
		if value == "-" || strings.HasSuffix(value, "/") || manifest.ObjectStore(value) && (!inFolder || key == "") {
			continue
		}
		if err := source.CheckName(value); err != nil {
			r.problems = append(r.problems, err)
			continue
		}
		if base := path.Base(value); strings.Contains(strings.TrimLeft(base, "."), ".") && formatOf(base) == "" {
			r.problem("%s is %q: %w: it ends with .csv, .jsonl or .ndjson, or one of these with .gz or .zst, and a folder's name with /", origin, value, ErrNoFormat)
		}
	}
}

// outdone reports whether a variable says where the app is while a flag says it in the other way.
func (r *reader) outdone(name string) bool {
	other := map[string]string{"region": "endpoint", "endpoint": "region"}[name]
	_, given := r.Flags[name]
	_, otherGiven := r.Flags[other]
	return other != "" && !given && otherGiven
}

// checkImport reads the settings as import will, so that what is wrong with them is said now and not by a pod.
func (r *reader) checkImport(o *manifest.Options, told map[string][]string) {
	told["secret-key-file"] = []string{manifest.KeyFile}
	if o.Shards > 0 {
		told["shard"] = []string{Shard{Index: o.Shards - 1, Count: o.Shards}.String()}
	}
	s, err := ReadImport(Values{Flags: told}, nil)
	if err != nil {
		r.problems = append(r.problems, err)
	}
	if s.Rows.Format == "" {
		r.checkFormats()
	}
	for _, word := range append(slices.Clone(o.Flags), o.Inputs...) {
		if manifest.HasUser(word) {
			name, _, _ := strings.Cut(word, "://")
			r.problem("%s://... has a user or a password, which would stand in the YAML for everybody to read", name)
		}
	}
	o.State, o.Rehearse = s.Job.State, s.Service.Rehearse
	o.Memory, o.RuntimeLimit, o.ContainerLimit = s.Job.Memory, RuntimeLimit(s.Job.Memory), ContainerLimit(s.Job.Memory)
	o.Timeout, o.MaxDuration = s.Pace.Timeout, s.Stop.MaxDuration
	o.EndpointPort = portOf(s.Service.Endpoint)
}

// extraFlag is a flag of import that is passed on.
type extraFlag struct{ name, value, word string }

// extra reads flags of import that manifest does not have itself.
func (r *reader) extra(words []string) []extraFlag {
	var all []extraFlag
	for i := 0; i < len(words); i++ {
		f := extraFlag{word: words[i], value: "true"}
		name, dashed := strings.CutPrefix(words[i], "--")
		name, value, whole := strings.Cut(name, "=")
		known, found := find(name)
		f.name = name
		switch {
		case !dashed:
			r.problem("%q stands behind --, where flags of import do: inputs are given by --input", words[i])
			continue
		case slices.Contains([]string{"fresh", "shard", "secret-key-file"}, name):
			r.problem("--%s is nothing for a Job: %s", name, notForJobs(name))
			continue
		case has(ManifestFlags(), name):
			r.problem("--%s is a flag of manifest itself: it belongs before --", name)
			continue
		case !found:
			r.problem("--%s is no flag of import", name)
			continue
		case whole:
			f.value = value
		case known.Kind == Takes && i+1 == len(words):
			r.problem("--%s needs a value", name)
			continue
		case known.Kind == Takes:
			i++
			f.value, f.word = words[i], f.word+"="+words[i]
		}
		all = append(all, f)
	}
	return all
}

func notForJobs(name string) string {
	switch name {
	case "fresh":
		return "each pod would start over what the one before it did; give another --state or claim"
	case "shard":
		return "--shards of manifest sets it"
	}
	return "the key is the Secret's"
}
