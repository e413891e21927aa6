package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source/objects"
)

// Defaults that are passed to import.
const (
	defaultInput  = "input"
	defaultMemory = "256MiB"
	defaultListen = ":9090"
)

// imported are the flags of import that manifest has too, in the order in which they are passed on.
var imported = []string{
	"sdk-app-id", "identifier", "region", "backup-host", "endpoint", "rate", "timeout", "max-duration", "memory",
}

// Flags declares the flags of manifest.
func (o *Options) Flags() []settings.Flag {
	flags := slices.Concat(o.objectFlags(), settings.Group("the volume",
		settings.Described("storage-class NAME", "the cluster's", settings.Checked(&o.StorageClass, checkObjectName),
			"of the claim"),
		settings.WithDefault("storage-size QUANTITY", "10Gi", settings.Checked(&o.StorageSize, checkStorageSize),
			"of the claim: the input, as much again for staging it, and the lists"),
	), settings.Group("the metrics",
		settings.Described("listen :PORT", "off; "+defaultListen+" with --pod-monitor", settings.Last(o.setListen),
			"serve metrics there, and let the network policy through"),
		settings.WithDefault("linger TIME", "30s", settings.Last(o.setLinger),
			"serve them so long after the end, for the last scrape"),
		settings.Plain("pod-monitor", settings.On(&o.PodMonitor),
			"a PodMonitor, which needs the Prometheus operator in the cluster"),
	))
	ofImport := settings.Only(settings.Flags("import"), imported...)
	for i := range ofImport {
		if ofImport[i].Set = passed; ofImport[i].Name == "memory" {
			ofImport[i].Default = defaultMemory
		}
	}
	return append(flags, settings.Group("the import", append([]settings.Flag{
		settings.WithDefault("input PATH|URL", defaultInput, o.setInputs,
			"file or folder in the volume ("+Folder+"), or s3://bucket/prefix; may be given again"),
		settings.WithDefault("state PATH", settings.DefaultState, settings.Last(o.setState),
			"of the job, in the volume"),
	}, ofImport...)...)...)
}

// passed declares a flag whose value is passed on to import, which checks it.
func passed([]string) error { return nil }

func (o *Options) objectFlags() []settings.Flag {
	return settings.Group("the objects",
		settings.WithDefault("name NAME", "friendmigrate", settings.Checked(&o.Name, checkName), "of all objects"),
		settings.Described("namespace NAME", "kubectl's", settings.Checked(&o.Namespace, checkName),
			"where they belong"),
		settings.Described("image IMAGE", "friendmigrate with this program's version",
			settings.Checked(&o.Image, checkImage),
			"with its registry and tag"),
		settings.Plain("pull-secret NAME", settings.Checked(&o.PullSecret, checkObjectName),
			"a Secret for the image's registry"),
		settings.Described("secret NAME", "that of --name", settings.Checked(&o.Secret, checkObjectName),
			"a Secret whose key secret-key is the app's secret key; "+
				"for s3:// also AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if there is one, AWS_SESSION_TOKEN"),
		settings.Described("shards N", "off", settings.Whole(&o.Shards, 0, settings.MostShards),
			"divide the accounts among N pods of one Indexed Job, on one ReadWriteMany claim"),
		settings.Plain("claim-per-shard", settings.On(&o.ClaimPerShard),
			"in place of that, a Job for each shard with a ReadWriteOncePod claim of its own"),
		settings.Plain("cron SCHEDULE", settings.Checked(&o.Cron, checkSchedule),
			"a CronJob, such as '0 1 * * *', that goes on each time with the same job; needs --max-duration"),
		settings.WithDefault("time-zone NAME", "Etc/UTC", settings.Checked(&o.TimeZone, checkTimeZone),
			"of the schedule"),
		settings.Plain("env NAME=VALUE", settings.Each(o.addVariable),
			"a variable of the container, such as HTTPS_PROXY; may be given again"),
	)
}

// Read reads and checks the options. extra are further words of import's command line. Import
// accepts whatever Read accepts. version is the program's.
func Read(v settings.Values, extra []string, version string) (Options, error) {
	o := Options{Image: "friendmigrate:" + strings.Map(tagRune, version), extra: extra}
	if holdsKey(v, extra) {
		return o, ErrKey
	}
	err := settings.ReadInto(&o, v, nil)
	return o, err
}

// ErrKey is the error for a secret key that is given as the value of another flag, or by a flag.
// Neither a message nor a hint may repeat the command line.
var ErrKey = errors.New("the command line or a variable seems to hold the app's secret key (64 hex digits), which is " +
	"not repeated here; the key belongs in a Secret, and --secret names that")

// holdsKey reports whether a value seems to be a secret key, or is given as one.
func holdsKey(v settings.Values, extra []string) bool {
	words := slices.Clone(extra)
	for _, f := range new(Options).Flags() {
		values, _ := v.Look(f.Name)
		words = append(words, values...)
	}
	return slices.ContainsFunc(words, func(word string) bool {
		name, value, _ := strings.Cut(strings.TrimSpace(word), "=")
		return name == "--secret-key" || key.MatchString(name) || key.MatchString(strings.TrimSpace(value))
	})
}

// tagRune replaces what the tag of an image may not contain.
func tagRune(c rune) rune {
	if c == '+' || c == '(' || c == ')' {
		return '-'
	}
	return c
}

// Check checks combinations of flags.
func (o *Options) Check(r *settings.Reader) {
	o.Secret = cmp.Or(o.Secret, o.Name)
	proxies := map[string]string{}
	for _, v := range o.Environment {
		proxies[v.Name] = v.Value
	}
	if err := settings.CheckProxies(proxies); err != nil {
		r.Refuse("env", "", "%w", err)
	}
	o.importOf(r)
	if most := o.MostName(); len(o.Name) > most && r.Given("name") {
		r.Refuse("name", "NAME", "--name has %d characters: at most %d are possible, "+
			"so that the names made from it stay within what Kubernetes allows", len(o.Name), most)
	}
	if len(o.Namespace) > mostName {
		r.Refuse("namespace", "NAME", "--namespace has %d characters: at most %d are possible", len(o.Namespace),
			mostName)
	}
	if o.ClaimPerShard && o.Shards == 0 {
		r.Refuse("claim-per-shard", "", "--claim-per-shard is for --shards, which is not given")
	}
	if o.Cron != "" && o.MaxDuration == 0 {
		r.Refuse("max-duration", "8h", "--cron needs --max-duration: without it a run would go on into the hours "+
			"that it is to leave free")
	}
	if o.Cron == "" && r.Given("time-zone") {
		r.Refuse("time-zone", "", "--time-zone is that of --cron, which is not given")
	}
	if o.MetricsPort == 0 && r.Given("linger") {
		r.Refuse("linger", "", "--linger is for --listen or --pod-monitor, which are not given")
	}
}

func (o *Options) setInputs(values []string) error {
	o.Inputs = nil
	return settings.Each(o.addInput)(values)
}

func (o *Options) addInput(value string) (err error) {
	_, _, wrong := objects.ParseName(value)
	switch {
	case !ObjectStore(value) && strings.Contains(value, "://"):
		return errors.New("is a URL, and only s3://bucket/prefix can be read (its value is not shown)")
	case !ObjectStore(value):
		value, err = inVolume(value)
	case HasUser(value): // refused where all words are looked at
	case wrong != nil:
		err = fmt.Errorf("is %q: s3://bucket/prefix is needed: %w", value, wrong)
	case strings.ContainsFunc(value, control):
		err = fmt.Errorf("is %q: s3://bucket/prefix is needed", value)
	}
	if err == nil && slices.Contains(o.Inputs, value) {
		err = fmt.Errorf("names %q twice: each of its rows would be a duplicate", value)
	}
	o.Inputs = append(o.Inputs, value)
	return err
}

func (o *Options) setState(value string) error {
	p, err := inVolume(value)
	if err == nil {
		o.State = p
	}
	return err
}

// inVolume returns the absolute path of a value in the volume, the container's only persistent
// folder.
func inVolume(value string) (string, error) {
	p := path.Join(Folder, value)
	if path.IsAbs(value) {
		p = path.Clean(value)
	}
	switch {
	case value == "-":
		return p, errors.New("is -: nobody writes to a Job's standard input")
	case p != Folder && !strings.HasPrefix(p, Folder+"/"), strings.ContainsFunc(value, control),
		strings.Contains(value, "://"):
		return p, fmt.Errorf("is %q: a path in the volume is needed, which is mounted at %s, or one relative to that",
			value, Folder)
	}
	return p, nil
}

func control(c rune) bool { return c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == '\uFFFD' }

func (o *Options) addVariable(value string) error {
	v, err := ParseVariable(value)
	twice := slices.ContainsFunc(o.Environment, func(other Variable) bool { return other.Name == v.Name })
	o.Environment = append(o.Environment, v)
	switch {
	case err != nil:
		return settings.Instead("", fmt.Errorf("cannot be used: %w", err))
	case twice:
		return settings.Instead("", fmt.Errorf("names %s twice", v.Name))
	case strings.ContainsFunc(value, control):
		return settings.Instead("", fmt.Errorf("has unusual characters in %s", v.Name))
	}
	return nil
}

// setListen sets where the metrics are served: on all addresses of the pod, so that they can be
// fetched from outside it.
func (o *Options) setListen(value string) error {
	host, digits, err := net.SplitHostPort(value)
	port, err2 := strconv.Atoi(digits)
	if errors.Join(err, err2) != nil || port < 1 || port > 65535 || !slices.Contains([]string{"", "0.0.0.0", "::"},
		host) {
		return settings.Instead(defaultListen,
			fmt.Errorf("is %q: a port on all addresses is needed, such as %s", value, defaultListen))
	}
	o.MetricsPort, o.listen = port, value
	return nil
}

func (o *Options) setLinger(value string) error {
	err := settings.Duration(new(time.Duration), 0, 24*time.Hour)([]string{value})
	if err == nil {
		o.linger = value
	}
	return err
}
