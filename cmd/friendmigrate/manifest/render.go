package manifest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
)

// text is the template of the manifest. Values reach it only through q, so that no value is parsed
// as YAML.
//
//go:embed manifest.yaml.tmpl
var text string

// Render writes the objects as YAML, in the order in which they must be created.
func Render(o Options) ([]byte, error) {
	t := template.New("manifest")
	t.Funcs(template.FuncMap{
		"q": quote, "mebibytes": mebibytes,
		"include": func(name string, data any) (string, error) {
			var b bytes.Buffer
			err := t.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"indent": func(n int, s string) string { return strings.ReplaceAll(s, "\n", "\n"+strings.Repeat(" ", n)) },
	})
	if _, err := t.Parse(text); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, o); err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	return b.Bytes(), nil
}

// quote returns s as a YAML string. Every JSON string is a YAML string.
func quote(s string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSpace(b.String()), err
}

// mebibytes returns a quantity of at least n bytes, in steps of step MiB.
func mebibytes(n, step int64) string {
	step <<= 20
	return strconv.FormatInt((n+step-1)/step*step>>20, 10) + "Mi"
}

// job is one of the Jobs, for the template.
type job struct {
	Options
	index int
}

// Jobs returns the Jobs: one, or with ClaimPerShard one for each shard.
func (o Options) Jobs() []job {
	all := []job{{o, 0}}
	for i := 1; o.ClaimPerShard && i < o.Shards; i++ {
		all = append(all, job{o, i})
	}
	return all
}

// JobName returns the name of the Job and of its claim.
func (j job) JobName() string {
	if !j.ClaimPerShard {
		return j.Name
	}
	return j.Name + "-" + decimal(j.index)
}

// Labels returns the labels of the Job's pods.
func (j job) Labels() map[string]string { return j.labels("import") }

// object is what the template needs for any object.
type object struct {
	Name, Namespace string
	Labels          map[string]string
}

// Object returns the object with this name and kind.
func (o Options) Object(name, component string) object {
	return object{name, o.Namespace, o.labels(component)}
}

const labelInstance = "app.kubernetes.io/instance"

func (o Options) labels(component string) map[string]string {
	labels := o.Selector()
	maps.Copy(labels, map[string]string{
		"app.kubernetes.io/component":  component,
		"app.kubernetes.io/part-of":    o.Name,
		"app.kubernetes.io/managed-by": "friendmigrate-manifest",
	})
	if version := versionOf(o.Image); version != "" {
		labels["app.kubernetes.io/version"] = version
	}
	return labels
}

// Selector returns the labels that all pods of this manifest have, and no others.
func (o Options) Selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": "friendmigrate", labelInstance: o.Name}
}

// podEnvironment lets a pod say "cannot be used" with an exit code that Go's runtime never takes.
// An image that does not know it ends with 2, which is run again.
var podEnvironment = map[string]string{exit.PodVariable: "1"}

// startUp is how long a pod may take to start and to end in addition to --max-duration, so that it
// ends by itself and its message remains. It is less than the 10 s that the Job controller waits
// after the end of a pod before it starts the next one, which would send calls after the window.
// SIGTERM ends a pod that takes longer.
const startUp = 9 * time.Second

// BackoffLimit returns how many pods may fail. The waits of Kubernetes between pods grow to 10
// minutes, and a run fails at the earliest after --outage-timeout without success, so this is at
// least a week of failures only. The Job must not give up before its user does.
func (Options) BackoffLimit() int { return 1000 }

// NotLater returns how many seconds late a CronJob's run may begin. A later run would last into the
// hours that must stay free.
func (Options) NotLater() int { return 600 }

// Deadline returns how many seconds a Job may run from its start. It drops fractions, because the
// Job controller uses whole seconds.
func (o Options) Deadline() int64 {
	return int64((o.MaxDuration.Truncate(time.Second) + startUp) / time.Second)
}

// Grace returns the time from SIGTERM to SIGKILL in seconds. Everything is recorded within
// --timeout and 5 s. A list of millions of failed edges, or a slow volume, takes longer, and a pod
// that has ended waits for nothing.
func (o Options) Grace() int64 {
	return int64((o.Timeout + 2*time.Minute + time.Second - 1) / time.Second)
}

// Pods returns how many pods a Job runs.
func (o Options) Pods() int {
	if o.Indexed() {
		return o.Shards
	}
	return 1
}

// failureRule says what the Job does about a pod that failed with one of these codes.
type failureRule struct {
	Action string
	Codes  string
}

// FailureRules returns the rules; the first one that matches applies. A failure that matches none
// counts against BackoffLimit and the pod is run again.
func (o Options) FailureRules() []failureRule {
	if !o.Indexed() {
		return []failureRule{onCodes("FailJob", exit.GiveUp, exit.StopAll)}
	}
	return []failureRule{onCodes("FailIndex", exit.GiveUp), onCodes("FailJob", exit.StopAll)}
}

func onCodes(action string, what ...exit.Rerun) failureRule {
	var values []int
	for _, code := range exit.Codes(what...) {
		values = append(values, code.Status(podEnvironment))
	}
	slices.Sort(values)
	return failureRule{action, strings.Join(strings.Fields(fmt.Sprint(values)), ", ")}
}

// ExitCodes returns the meanings of the exit codes in one line, for an annotation.
func (Options) ExitCodes() string {
	var parts []string
	for _, row := range exit.Table() {
		parts = append(parts, fmt.Sprintf("%d: %s", row.Code.Status(podEnvironment), row.Meaning))
	}
	return strings.Join(parts, "; ")
}

// Unusable returns the exit code that a pod has instead of 2.
func (Options) Unusable() int { return int(exit.PodUnusable) }

// Args returns the command line. A flag and its value are one word, so that no value is taken for a
// flag.
func (j job) Args() []string {
	args := []string{"import"}
	if !j.Rehearse {
		args = append(args, "--secret-key-file="+KeyFile)
	}
	args = append(args, j.Words...)
	if j.Shards > 0 && !j.Indexed() {
		args = append(args, "--shard="+decimal(j.index)+"/"+decimal(j.Shards))
	}
	args = append(args, j.Inputs...)
	for n, word := range args {
		args[n] = verbatim(word)
	}
	return args
}

// verbatim escapes s for the kubelet, which replaces $(NAME) by a variable and $$ by $.
func verbatim(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// envVar is a variable of the container, for the template.
type envVar struct {
	Variable
	Field      string // of the pod; empty: none
	FromSecret bool   // an item of the Secret
	Optional   bool   // the Secret need not have it
}

// sessionToken is the variable of temporary keys of a store.
const sessionToken = "AWS_SESSION_TOKEN"

// Env returns the container's environment.
func (o Options) Env() []envVar {
	var env []envVar
	add := func(name, value string) { env = append(env, envVar{Variable: Variable{name, value}}) }
	add("GOMEMLIMIT", strconv.FormatInt(o.RuntimeLimit, 10)) // the program sets the same once it runs
	if o.Indexed() {
		add("FRIENDMIGRATE_SHARDS", decimal(o.Shards)) // the Job sets the index
	}
	if o.State != settings.DefaultState { // for commands run inside the pod
		add(settings.Variable("state"), verbatim(o.State))
	}
	if slices.ContainsFunc(o.Inputs, ObjectStore) {
		for _, key := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", sessionToken} {
			env = append(env, envVar{Variable: Variable{Name: key}, FromSecret: true, Optional: key == sessionToken})
		}
	}
	for name, value := range podEnvironment {
		add(name, value)
	}
	for _, f := range []Variable{ // for hints, which are commands of kubectl
		{exit.NamespaceVariable, "metadata.namespace"},
		{exit.JobVariable, "metadata.labels['batch.kubernetes.io/job-name']"},
	} {
		env = append(env, envVar{Variable: Variable{Name: f.Name}, Field: f.Value})
	}
	for _, v := range o.Environment {
		add(v.Name, verbatim(v.Value))
	}
	return env
}
