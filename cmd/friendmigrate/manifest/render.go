package manifest

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"friendmigrate/cmd/friendmigrate/exit"
)

// Render writes the objects as YAML, in the order in which they are to be made.
func Render(o Options) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(o.head())
	for _, made := range o.objects() {
		b.WriteString("---\n")
		e := yaml.NewEncoder(&b)
		e.SetIndent(2)
		if err := e.Encode(made); err != nil {
			return nil, fmt.Errorf("write %s %s: %w", made.Kind, made.Metadata.Name, err)
		}
		if err := e.Close(); err != nil {
			return nil, fmt.Errorf("write %s %s: %w", made.Kind, made.Metadata.Name, err)
		}
	}
	return b.Bytes(), nil
}

func (o Options) objects() []object {
	var all []object
	for i := range o.jobs() {
		all = append(all, o.claim(i))
	}
	all = append(all, o.networkPolicy())
	if o.PodMonitor {
		all = append(all, o.podMonitor())
	}
	for i := range o.jobs() {
		all = append(all, o.job(i))
	}
	return all
}

// head is a comment for those who read the YAML. It repeats nothing that was given: a line break in it would be YAML.
func (o Options) head() string {
	var b strings.Builder
	b.WriteString(`# An import of friends into Tencent Chat, by "friendmigrate manifest". For Kubernetes 1.34 and newer.
#
# The claim is made first (kubectl apply -l app.kubernetes.io/component=storage -f FILE), the input copied in, then the rest is applied. Deleting this
# file's objects deletes the claim too, and with it the record of what was done.
#
# What the Job does when a pod ends with an exit code (one that was evicted or drained is replaced whatever its code, and does not count):
`)
	for _, row := range exit.Table() {
		fmt.Fprintf(&b, "# %3d  %-16s %s\n", row.Code.Status(podEnvironment), o.does(row.Rerun), row.Meaning)
	}
	fmt.Fprintf(&b, "# Any other code (killed for its memory, say) is run again as well, up to %d times. So is 2: it is Go's own, of a process that\n"+
		"# broke down, and what is 2 elsewhere is %d here.\n", backoffLimit, exit.PodUnusable)
	if o.MaxDuration > 0 {
		fmt.Fprintf(&b, "# --max-duration: %d s after its start the Job has failed and starts no pod any more; the next one resumes.\n", o.deadline())
	}
	return b.String()
}

// does says in words what failureRules do.
func (o Options) does(what exit.Rerun) string {
	switch {
	case what == exit.Finish && o.indexed():
		return "shard complete"
	case what == exit.Finish:
		return "complete"
	case what == exit.Retry:
		return "runs it again"
	case what == exit.GiveUp && o.indexed():
		return "fails the shard"
	}
	return "fails the Job"
}
