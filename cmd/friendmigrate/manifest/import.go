package manifest

import (
	"errors"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source"
)

// ErrNoFormat is wrapped by every error that --format fixes.
var ErrNoFormat = errors.New("its name says no format")

// notForJobs are flags of import that a Job cannot have, and why.
var notForJobs = map[string]string{
	"fresh":           "each pod would start over what the one before it did; give another --state or claim",
	"shard":           "--shards of manifest sets it",
	"secret-key-file": "the key is the Secret's",
}

// importOf fills in the command line of the import that a manifest describes, and checks it in the
// same way as import.
func (o *Options) importOf(r *settings.Reader) {
	told := map[string][]string{}
	pass := func(name, value string) {
		told[name] = append(told[name], value)
		o.Words = append(o.Words, "--"+name+"="+value)
	}
	pass("state", o.State)
	for _, name := range imported {
		switch {
		case r.Given(name) && !outdone(r, name):
			pass(name, r.Text(name))
		// passed even if it is the default: the container's limit is computed from it, not the
		// other way round
		case name == "memory":
			pass(name, defaultMemory)
		}
	}
	if o.PodMonitor && !r.Given("listen") {
		r.Add(o.setListen(defaultListen))
	}
	if o.MetricsPort > 0 {
		pass("listen", o.listen)
		pass("linger", o.linger)
	}
	o.passExtra(r, pass)
	for _, word := range o.Words {
		if name, _, _ := strings.Cut(word, "="); strings.ContainsFunc(word, control) {
			r.Problem("%s has unusual characters in its value", name)
		}
	}
	o.checkImport(r, told)
}

// outdone reports whether a variable sets the place of the app in one way while a flag sets it in
// the other.
func outdone(r *settings.Reader, name string) bool {
	other := map[string]string{"region": "endpoint", "endpoint": "region"}[name]
	_, given := r.Flags[name]
	_, otherGiven := r.Flags[other]
	return other != "" && !given && otherGiven
}

// checkImport reads the settings in the same way as import, so that errors are reported now and not
// by a pod.
func (o *Options) checkImport(r *settings.Reader, told map[string][]string) {
	told["secret-key-file"] = []string{KeyFile}
	if o.Shards > 0 {
		told["shard"] = []string{settings.Shard{Index: o.Shards - 1, Count: o.Shards}.String()}
	}
	s, err := settings.Read("import", settings.Values{Flags: told}, nil)
	if wrong, _ := errors.AsType[*settings.Refused](err); wrong != nil && wrong.Better.Name == "shard" {
		_, count, _ := strings.Cut(wrong.Better.Value, "/")
		wrong.Better = source.Flag{Name: "shards", Value: count}
	}
	r.Add(err)
	if s.Rows.Format == "" {
		o.checkFormats(r)
	}
	if slices.ContainsFunc(o.Inputs, ObjectStore) {
		s.Objects.Env = map[string]string{}
		for _, v := range o.Environment {
			s.Objects.Env[v.Name] = v.Value
		}
		if err := s.Objects.Check(); err != nil {
			r.Refuse("s3-endpoint", "URL", "%w", err)
		}
	}
	if s.OnlyAccounts != "" {
		if _, err := inVolume(s.OnlyAccounts); err != nil {
			r.Refuse("only-accounts", "FILE", "--only-accounts %w", err)
		}
	}
	for _, word := range slices.Concat(o.Words, o.Inputs) {
		if HasUser(word) {
			name, _, _ := strings.Cut(word, "://")
			r.Problem("%s://... has a user or a password, which would be in the YAML for everybody to read", name)
		}
	}
	o.State, o.Rehearse = s.Job.State, s.Service.Rehearse
	o.Memory = s.Job.Memory
	o.RuntimeLimit, o.ContainerLimit = settings.RuntimeLimit(o.Memory), settings.ContainerLimit(o.Memory)
	o.Timeout, o.MaxDuration = s.Pace.Timeout, s.Stop.MaxDuration
	o.setPorts(s.Service.Endpoint, s.Objects.Endpoint)
}

// setPorts sets which ports the pods may call: that of TLS, and those of the URLs that they get.
func (o *Options) setPorts(urls ...string) {
	for _, v := range o.Environment {
		if slices.Contains(settings.ProxyVariables, v.Name) && !strings.Contains(v.Value, "://") {
			v.Value = "http://" + v.Value
		}
		urls = append(urls, v.Value)
	}
	o.Ports = []int{443}
	for _, text := range urls {
		o.Ports = append(o.Ports, portOf(text))
	}
	slices.Sort(o.Ports)
	o.Ports = slices.Compact(o.Ports)
}

// checkFormats refuses inputs that are files by their names but whose names do not show the format.
// Import would refuse them too.
func (o *Options) checkFormats(r *settings.Reader) {
	values, origin := r.Look("input")
	for _, value := range values {
		_, key, inFolder := strings.Cut(strings.TrimPrefix(value, "s3://"), "/")
		if value == "-" || strings.HasSuffix(value, "/") || ObjectStore(value) && (!inFolder || key == "") {
			continue
		}
		if err := source.CheckName(value); err != nil {
			r.Add(err)
			continue
		}
		base := path.Base(value)
		if strings.Contains(strings.TrimLeft(base, "."), ".") && source.FormatOf(base) == "" {
			r.Problem("%s is %q: %w: it ends with .csv, .jsonl or .ndjson, or one of these with .gz or .zst, "+
				"and a folder's name with /", origin, value, ErrNoFormat)
		}
	}
}

// LeftOut returns the flags of import that manifest does not have and whose variables are set. They
// are not passed on: the value may be a path of this machine.
func LeftOut(v settings.Values, extra []string) (names []string) {
	own := new(Options).Flags()
	for _, f := range settings.Flags("import") {
		passed := slices.ContainsFunc(extra, func(word string) bool {
			name, _, _ := strings.Cut(word, "=")
			return name == "--"+f.Name
		})
		if v.Given(f.Name) && !f.NoVariable && !passed && notForJobs[f.Name] == "" && !settings.Has(own, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// passExtra passes on the flags of import that manifest does not have.
func (o *Options) passExtra(r *settings.Reader, pass func(name, value string)) {
	ofImport, own := settings.Flags("import"), new(Options).Flags()
	for i := 0; i < len(o.extra); i++ {
		word := o.extra[i]
		name, dashed := strings.CutPrefix(word, "--")
		name, value, whole := strings.Cut(name, "=")
		known := slices.Concat(settings.Only(ofImport, name), settings.Only(own, name))
		takes := len(known) > 0 && known[0].Kind == settings.Takes
		switch {
		case !dashed:
			r.Problem("%q comes after --, where only flags of import may be: inputs are given by --input", word)
			continue
		case notForJobs[name] != "":
			r.Refuse(name, "", "--%s is nothing for a Job: %s", name, notForJobs[name])
			continue
		case settings.Has(own, name):
			r.Refuse(name, "", "--%s is a flag of manifest itself: it belongs before --", name)
			if takes && !whole {
				i++ // its value
			}
			continue
		case len(known) == 0:
			r.Refuse(name, "", "--%s is not a flag of import", name)
			continue
		case takes && !whole && i+1 == len(o.extra):
			r.Refuse(name, known[0].Value, "--%s needs a value", name)
			continue
		case takes && !whole:
			i++
			value = o.extra[i]
		case !whole:
			value = "true"
		}
		pass(name, value)
	}
}

// portOf returns the port of a URL, and that of TLS for any other text.
func portOf(text string) int {
	u, err := url.Parse(text)
	if err != nil {
		return 443
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && port > 0 {
		return int(port)
	}
	switch u.Scheme {
	case "http":
		return 80
	case "socks5", "socks5h":
		return 1080
	}
	return 443
}
