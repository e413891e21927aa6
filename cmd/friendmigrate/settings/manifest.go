package settings

import (
	"errors"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"friendmigrate/cmd/friendmigrate/manifest"
)

// Groups of manifest's flags, and what its import is told if it isn't told otherwise.
const (
	groupKubernetes = "the objects"
	groupStorage    = "the volume"
	groupMetrics    = "the metrics"
	groupImported   = "the import"

	defaultName    = "friendmigrate"
	defaultInput   = "input"
	defaultStorage = "10Gi"
	defaultListen  = ":9090"
	defaultLinger  = 30 * time.Second
)

// ManifestFlags describes the flags of manifest.
func ManifestFlags() []Flag {
	g := groupImported
	imported := pick(ImportFlags(), "sdk-app-id", "identifier", "region", "backup-host", "endpoint", "rate", "timeout", "memory", flagMaximum)
	for i := range imported {
		imported[i].Group = g
		if imported[i].Name == "memory" {
			imported[i].Default = "256MiB"
		}
	}
	return slices.Concat(kubernetesFlags(), storageFlags(), metricsFlags(), []Flag{
		{Name: "input", Value: "PATH|URL", Default: defaultInput, Usage: "file or folder in the volume (" + manifest.Folder + "), or s3://bucket/prefix; may be given again", Group: g},
		{Name: "state", Value: "PATH", Default: DefaultState, Usage: "of the job, in the volume", Group: g},
	}, imported)
}

func kubernetesFlags() []Flag {
	g := groupKubernetes
	return []Flag{
		{Name: "name", Value: "NAME", Default: defaultName, Usage: "of all objects", Group: g},
		{Name: "namespace", Value: "NAME", Default: "kubectl's", Usage: "where they belong", Group: g},
		{Name: "image", Value: "IMAGE", Default: "friendmigrate with this program's version", Usage: "with its registry and tag", Group: g},
		{Name: "pull-secret", Value: "NAME", Usage: "a Secret for the image's registry", Group: g},
		{Name: "secret", Value: "NAME", Default: "that of --name", Usage: "a Secret whose key secret-key is the app's secret key; for s3:// also AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", Group: g},
		{Name: "shards", Value: "N", Default: "off", Usage: "divide the accounts among N pods of one Indexed Job, on one ReadWriteMany claim", Group: g},
		{Name: "claim-per-shard", Kind: Switch, Usage: "in place of that, a Job for each shard with a ReadWriteOncePod claim of its own", Group: g},
		{Name: "cron", Value: "SCHEDULE", Usage: "a CronJob, such as '0 1 * * *', that goes on each time with the same job; needs --" + flagMaximum, Group: g},
		{Name: "time-zone", Value: "NAME", Default: "Etc/UTC", Usage: "of the schedule", Group: g},
		{Name: "env", Value: "NAME=VALUE", Usage: "a variable of the container, such as HTTPS_PROXY; may be given again", Group: g},
	}
}

func storageFlags() []Flag {
	g := groupStorage
	return []Flag{
		{Name: "storage-class", Value: "NAME", Default: "the cluster's", Usage: "of the claim", Group: g},
		{Name: "storage-size", Value: "QUANTITY", Default: defaultStorage, Usage: "of the claim: the input, as much again for staging it, and the lists", Group: g},
	}
}

func metricsFlags() []Flag {
	g := groupMetrics
	return []Flag{
		{Name: "listen", Value: ":PORT", Default: "off; " + defaultListen + " with --pod-monitor", Usage: "serve metrics there, and let the network policy through", Group: g},
		{Name: "linger", Value: "TIME", Default: "30s", Usage: "serve them so long after the end, for the last scrape", Group: g},
		{Name: "pod-monitor", Kind: Switch, Usage: "a PodMonitor, which needs the Prometheus operator in the cluster", Group: g},
	}
}

// ReadManifest reads and checks the settings of manifest; extra is what import is told besides, as words. What it accepts, import accepts too. version is
// the program's.
func ReadManifest(v Values, extra []string, version string) (manifest.Options, error) {
	r := &reader{Values: v.of(ManifestFlags())}
	o := manifest.Options{
		Name:          r.checked("name", defaultName, manifest.CheckName),
		Namespace:     r.checked("namespace", "", manifest.CheckName),
		Image:         r.checked("image", "friendmigrate:"+strings.Map(tagRune, version), manifest.CheckImage),
		PullSecret:    r.checked("pull-secret", "", manifest.CheckObjectName),
		Shards:        int(r.whole("shards", 0, 0, mostShards)),
		ClaimPerShard: r.turnedOn("claim-per-shard"),
		StorageClass:  r.checked("storage-class", "", manifest.CheckObjectName),
		StorageSize:   r.checked("storage-size", defaultStorage, manifest.CheckStorageSize),
		Cron:          r.checked("cron", "", manifest.CheckSchedule),
		TimeZone:      r.checked("time-zone", "Etc/UTC", manifest.CheckTimeZone),
		PodMonitor:    r.turnedOn("pod-monitor"),
		Inputs:        r.clusterInputs(),
	}
	o.Secret = r.checked("secret", o.Name, manifest.CheckObjectName)
	o.Environment = r.environment()
	r.importOf(&o, extra)
	r.agree(o)
	return o, r.err()
}

// agree checks what several flags say together.
func (r *reader) agree(o manifest.Options) {
	if most := o.MostName(); len(o.Name) > most && r.given("name") {
		r.refuse("name", word("name"), "--name has %d characters: at most %d are possible, so that the names made from it stay within what Kubernetes allows", len(o.Name), most)
	}
	if len(o.Namespace) > 63 {
		r.refuse("namespace", word("namespace"), "--namespace has %d characters: at most 63 are possible", len(o.Namespace))
	}
	if o.ClaimPerShard && o.Shards == 0 {
		r.refuse("claim-per-shard", "", "--claim-per-shard is for --shards, which is not given")
	}
	if o.Cron != "" && o.MaxDuration == 0 {
		r.refuse(flagMaximum, "8h", "--cron needs --%s: without it a run would go on into the hours that it is to leave free", flagMaximum)
	}
	if o.Cron == "" && r.given("time-zone") {
		r.refuse("time-zone", "", "--time-zone is that of --cron, which is not given")
	}
	if o.MetricsPort == 0 && r.given("linger") {
		r.refuse("linger", "", "--linger is for --listen or --pod-monitor, which are not given")
	}
}

// checked is the value of a flag that has a form.
func (r *reader) checked(name, fallback string, check func(string) error) string {
	value, origin, ok := r.last(name)
	if !ok {
		return fallback
	}
	if err := check(value); err != nil {
		r.refuse(name, word(name), "%s is %q: %w", origin, value, err)
	}
	return value
}

// tagRune keeps what the tag of an image may have.
func tagRune(c rune) rune {
	if c == '+' || c == '(' || c == ')' {
		return '-'
	}
	return c
}

func (r *reader) clusterInputs() []string {
	values, origin := r.look("input")
	if len(values) == 0 {
		values = []string{defaultInput}
	}
	var inputs []string
	for _, value := range values {
		if !manifest.ObjectStore(value) && strings.Contains(value, "://") {
			r.refuse("input", word("input"), "%s is a URL, and only s3://bucket/prefix can be read (its value is not shown)", origin)
			continue
		}
		if manifest.ObjectStore(value) {
			if bucket, _, _ := strings.Cut(strings.TrimPrefix(value, "s3://"), "/"); bucket == "" || strings.ContainsFunc(value, control) {
				r.refuse("input", word("input"), "%s is %q: s3://bucket/prefix is needed", origin, value)
			}
			inputs = append(inputs, value)
			continue
		}
		inputs = append(inputs, r.inVolume(origin, value))
	}
	for i, in := range inputs {
		if slices.Contains(inputs[:i], in) {
			r.refuse("input", word("input"), "%s names %q twice: each of its rows would be a duplicate", origin, in)
		}
	}
	return inputs
}

// inVolume is a path in the container's only folder that lasts.
func (r *reader) inVolume(origin, value string) string {
	p := path.Join(manifest.Folder, value)
	if path.IsAbs(value) {
		p = path.Clean(value)
	}
	switch {
	case value == "-":
		r.refuse("input", word("input"), "%s is -: nobody writes to a Job's standard input", origin)
	case p != manifest.Folder && !strings.HasPrefix(p, manifest.Folder+"/"), strings.ContainsFunc(value, control):
		r.refuse("input", word("input"), "%s is %q: a path in the volume is needed, which is mounted at %s, or one relative to that", origin, value, manifest.Folder)
	}
	return p
}

func control(c rune) bool { return c < ' ' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == '\uFFFD' }

func (r *reader) environment() []manifest.Variable {
	values, origin := r.look("env")
	var all []manifest.Variable
	given := map[string]string{}
	for _, value := range values {
		v, err := manifest.ParseVariable(value)
		twice := slices.ContainsFunc(all, func(other manifest.Variable) bool { return other.Name == v.Name })
		switch {
		case err != nil:
			r.refuse("env", "", "%s cannot be used: %w", origin, err)
		case twice:
			r.refuse("env", "", "%s names %s twice", origin, v.Name)
		case strings.ContainsFunc(value, control):
			r.refuse("env", "", "%s has unusual characters in %s", origin, v.Name)
		}
		all = append(all, v)
		given[v.Name] = v.Value
	}
	if err := CheckProxies(given); err != nil {
		r.refuse("env", "", "%w", err)
	}
	return all
}

// listenPort reads where the metrics are served: on all addresses of the pod, or nobody outside it could fetch them.
func (r *reader) listenPort(monitored bool) (port int) {
	value, origin, ok := r.last("listen")
	if !ok && monitored {
		value, ok = defaultListen, true
	}
	if !ok {
		return 0
	}
	host, digits, err := net.SplitHostPort(value)
	port, err2 := strconv.Atoi(digits)
	if errors.Join(err, err2) != nil || port < 1 || port > 65535 || !slices.Contains([]string{"", "0.0.0.0", "::"}, host) {
		r.refuse("listen", defaultListen, "%s is %q: a port on all addresses is needed, such as %s", origin, value, defaultListen)
	}
	return port
}

// portOf is the port of a service's URL.
func portOf(endpoint string) int {
	u, err := url.Parse(endpoint)
	if err != nil || endpoint == "" {
		return 443
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}
