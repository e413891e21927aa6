package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// findings gathers what the API server would refuse although the types allow it, and what the
// design asks for.
type findings []error

func (f *findings) want(holds bool, format string, args ...any) {
	if !holds {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

// restricted is the check of Pod Security "restricted", of the oldest version that is promised and
// of the newest.
var restricted = func() func(*corev1.PodTemplateSpec) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		panic(err)
	}
	return func(pod *corev1.PodTemplateSpec) error {
		for _, version := range []podsecurity.Version{podsecurity.MajorMinorVersion(1, 34), podsecurity.LatestVersion()} {
			level := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: version}
			for _, r := range evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec) {
				if !r.Allowed {
					return fmt.Errorf("pod security: %s: %s", r.ForbiddenReason, r.ForbiddenDetail)
				}
			}
		}
		return nil
	}
}()

// check holds a manifest against the rules. It returns nil if nothing was found.
func (c *cluster) check() error {
	var f findings
	for i := range c.jobs {
		f.job(&c.jobs[i])
		f.pod(&c.jobs[i].Spec.Template, c)
	}
	for i := range c.crons {
		f.cron(&c.crons[i])
	}
	f.around(c)
	return errors.Join(f...)
}

func (f *findings) job(j *batchv1.Job) {
	s := j.Spec
	indexed := s.CompletionMode != nil && *s.CompletionMode == batchv1.IndexedCompletion
	f.want(s.PodFailurePolicy != nil && s.Template.Spec.RestartPolicy == corev1.RestartPolicyNever, "a podFailurePolicy asks for restartPolicy Never")
	f.want(s.PodReplacementPolicy != nil && *s.PodReplacementPolicy == batchv1.Failed, "a podFailurePolicy asks for podReplacementPolicy Failed")
	f.want(s.Completions != nil && s.Parallelism != nil && *s.Completions == *s.Parallelism, "completions and parallelism differ")
	f.want((s.BackoffLimitPerIndex != nil) == indexed && (s.MaxFailedIndexes != nil) == indexed, "limits of an index are for Indexed Jobs")
	f.want((s.BackoffLimit != nil) != indexed, "a backoffLimit beside that of an index")
	if indexed {
		f.want(*s.MaxFailedIndexes <= *s.Completions, "maxFailedIndexes %d of %d", *s.MaxFailedIndexes, *s.Completions)
		host := fmt.Sprintf("%s-%d", j.Name, *s.Completions-1)
		f.want(len(validation.IsDNS1123Label(host)) == 0, "pods would be called %s", host)
	} else {
		f.want(*s.Completions == 1, "%d completions without an index", *s.Completions)
	}
	f.want(len(validation.IsDNS1123Label(j.Name)) == 0, "a Job called %s", j.Name)
	f.failureRules(s.PodFailurePolicy.Rules, indexed, s.Template.Spec.Containers[0].Name)
	days := 10 * int(ptr(s.BackoffLimit)+ptr(s.BackoffLimitPerIndex)) / 60 / 24 // the wait between two pods is 10 minutes in the end
	f.want(days >= 6, "the Job gives up after %d days", days)
}

func ptr(n *int32) int32 {
	if n == nil {
		return 0
	}
	return *n
}

// failureRules are written down by number: a table that changed would change what a Job does. 2 is
// not among them: Go's runtime ends with it, and 78 is what the program says in its place.
func (f *findings) failureRules(rules []batchv1.PodFailurePolicyRule, indexed bool, container string) {
	want := []string{"Ignore DisruptionTarget=True", "FailJob [3 5 6 10 12 78]"}
	if indexed {
		want = []string{"Ignore DisruptionTarget=True", "FailIndex [3 5 6 10 78]", "FailJob [12]"}
	}
	var got []string
	for _, r := range rules {
		for _, c := range r.OnPodConditions {
			got = append(got, fmt.Sprintf("%s %s=%s", r.Action, c.Type, c.Status))
		}
		if on := r.OnExitCodes; on != nil {
			got = append(got, fmt.Sprintf("%s %v", r.Action, on.Values))
			f.want(on.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && on.ContainerName != nil && *on.ContainerName == container, "codes of another container")
			f.want(slices.IsSorted(on.Values) && len(slices.Compact(slices.Clone(on.Values))) == len(on.Values) && !slices.Contains(on.Values, 0), "codes %v", on.Values)
		}
		f.want((r.OnExitCodes == nil) != (len(r.OnPodConditions) == 0), "a rule asks for one of codes and conditions")
	}
	f.want(slices.Equal(got, want), "rules %q, want %q", got, want)
}

func (f *findings) pod(t *corev1.PodTemplateSpec, c *cluster) {
	if err := restricted(t); err != nil {
		*f = append(*f, err)
	}
	s := t.Spec
	f.want(s.AutomountServiceAccountToken != nil && !*s.AutomountServiceAccountToken, "a service account's token is mounted")
	f.want(s.EnableServiceLinks != nil && !*s.EnableServiceLinks, "service links are on")
	f.want(s.SecurityContext.FSGroup != nil && *s.SecurityContext.FSGroup == 65532, "the volume isn't writable")
	k := s.Containers[0]
	f.want(len(s.Containers) == 1 && *k.SecurityContext.ReadOnlyRootFilesystem, "the root is writable")
	f.want(k.TerminationMessagePath == "/dev/termination-log", "no termination message")
	f.resources(k)
	volumes := map[string]bool{}
	for _, v := range s.Volumes {
		volumes[v.Name] = true
		if pvc := v.PersistentVolumeClaim; pvc != nil {
			there := slices.ContainsFunc(c.claims, func(p corev1.PersistentVolumeClaim) bool { return p.Name == pvc.ClaimName })
			f.want(there, "claim %s is not in the manifest", pvc.ClaimName)
		}
	}
	for _, m := range k.VolumeMounts {
		f.want(volumes[m.Name], "mount of %s", m.Name)
	}
	f.want(len(s.Volumes) == len(k.VolumeMounts), "%d volumes, %d mounts", len(s.Volumes), len(k.VolumeMounts))
	for _, p := range k.Ports {
		f.want(len(validation.IsValidPortName(p.Name)) == 0 && len(validation.IsValidPortNum(int(p.ContainerPort))) == 0, "port %v", p)
	}
	names := map[string]bool{}
	for _, e := range k.Env {
		f.want(len(validation.IsEnvVarName(e.Name)) == 0 && !names[e.Name], "variable %s", e.Name)
		f.want(!strings.Contains(e.Name, "SECRET") || e.ValueFrom != nil, "a secret as a value of %s", e.Name)
		names[e.Name] = true
	}
}

// resources: the program's memory within 70 % of the container's, which is where it would put
// itself, and Go's limit within the program's.
func (f *findings) resources(k corev1.Container) {
	request, limit := k.Resources.Requests[corev1.ResourceMemory], k.Resources.Limits[corev1.ResourceMemory]
	f.want(request.Value()*10 <= limit.Value()*7, "memory %s of %s", request.String(), limit.String())
	golimit := resource.Quantity{}
	for _, e := range k.Env {
		if e.Name == "GOMEMLIMIT" {
			golimit = resource.MustParse(e.Value)
		}
	}
	f.want(golimit.Value()*100 >= request.Value()*80 && golimit.Value()*100 <= request.Value()*91, "GOMEMLIMIT %s of %s", golimit.String(), request.String())
	cpu := k.Resources.Requests[corev1.ResourceCPU]
	f.want(cpu.Sign() > 0, "no CPU is asked for")
}

func (f *findings) cron(j *batchv1.CronJob) {
	s := j.Spec
	_, err := cron.ParseStandard(s.Schedule)
	f.want(err == nil, "schedule %q: %v", s.Schedule, err)
	f.want(s.ConcurrencyPolicy == batchv1.ForbidConcurrent, "runs may overlap")
	f.want(s.TimeZone != nil && *s.TimeZone != "", "no time zone")
	f.want(len(j.Name) <= 52, "a CronJob with a name of %d", len(j.Name))
	f.want(s.JobTemplate.Spec.ActiveDeadlineSeconds != nil, "a run without an end")
	f.want(slices.ContainsFunc(s.JobTemplate.Spec.Template.Spec.Containers[0].Args, func(a string) bool { return strings.HasPrefix(a, "--max-duration=") }), "a run without --max-duration")
}

// around checks what belongs to the Jobs: same namespace, selectors that find the pods, modes that
// let them in, names that are taken once.
func (f *findings) around(c *cluster) {
	pod := c.jobs[0].Spec.Template
	metrics := len(pod.Spec.Containers[0].Ports) > 0
	f.want(len(c.policies) == 1, "%d network policies", len(c.policies))
	for _, p := range c.policies {
		f.want(labels.SelectorFromSet(p.Spec.PodSelector.MatchLabels).Matches(labels.Set(pod.Labels)), "the network policy finds no pod")
		f.want(len(p.Spec.PolicyTypes) == 2 && (len(p.Spec.Ingress) > 0) == metrics, "ingress %v", p.Spec.Ingress)
		for _, e := range p.Spec.Egress {
			for _, port := range e.Ports {
				f.want(port.Port.IntValue() == 53 || *port.Protocol == corev1.ProtocolTCP, "egress by %s %s", *port.Protocol, port.Port)
			}
			f.want(len(e.Ports) > 0, "egress to every port")
		}
	}
	for _, m := range c.monitors {
		f.want(labels.SelectorFromSet(m.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)), "the PodMonitor finds no pod")
		f.want(metrics && *m.Spec.PodMetricsEndpoints[0].Port == pod.Spec.Containers[0].Ports[0].Name, "the PodMonitor asks a port that is not there")
	}
	taken := map[string]bool{}
	for _, p := range c.claims {
		size := p.Spec.Resources.Requests[corev1.ResourceStorage]
		f.want(len(validation.IsDNS1123Subdomain(p.Name)) == 0 && !taken[p.Name] && size.Sign() > 0, "claim %s of %s", p.Name, size.String())
		taken[p.Name] = true
		mode := corev1.ReadWriteOncePod
		if *c.jobs[0].Spec.CompletionMode == batchv1.IndexedCompletion {
			mode = corev1.ReadWriteMany
		}
		f.want(slices.Equal(p.Spec.AccessModes, []corev1.PersistentVolumeAccessMode{mode}), "access modes %v", p.Spec.AccessModes)
	}
	for _, set := range c.labels() {
		for key, value := range set {
			f.want(len(validation.IsQualifiedName(key)) == 0 && len(validation.IsValidLabelValue(value)) == 0, "label %s: %s", key, value)
			f.want(strings.HasPrefix(key, "app.kubernetes.io/"), "label %s", key)
		}
		f.want(len(set) >= 5, "labels %v", set)
	}
}

func (c *cluster) labels() []map[string]string {
	var all []map[string]string
	for _, o := range c.claims {
		all = append(all, o.Labels)
	}
	for _, o := range c.jobs {
		all = append(all, o.Labels, o.Spec.Template.Labels)
	}
	for _, o := range c.crons {
		all = append(all, o.Labels)
	}
	for _, o := range c.policies {
		all = append(all, o.Labels)
	}
	for _, o := range c.monitors {
		all = append(all, o.Labels)
	}
	return all
}
