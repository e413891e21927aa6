package cluster

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"friendmigrate/cmd/friendmigrate/exit"
)

// kubelet is what the kubelet makes of a word of a command line: $(NAME) is a variable, $$ is $ and
// stops that.
func kubelet(word string, env []corev1.EnvVar) string {
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] != '$' || i+1 == len(word) {
			b.WriteByte(word[i])
			continue
		}
		i++
		end := strings.IndexByte(word[i:], ')')
		switch {
		case word[i] == '$':
			b.WriteByte('$')
		case word[i] != '(' || end < 0:
			b.WriteString("$" + word[i:i+1])
		default:
			for _, e := range env {
				if e.Name == word[i+1:i+end] {
					b.WriteString(e.Value)
				}
			}
			i += end
		}
	}
	return b.String()
}

// What YAML takes for something else, and what the kubelet does.
var oddities = []string{
	"yes", "no", "on", "null", "~", "true", "1e3", "0x10", "0o17", "017", "1_000", "1:30", "2026-01-01", "=", "<<", "- a", "a: b", "a #b", "#a", "*a", "&a", "!a", "%a", "@a", "`a", "'", `"`,
	"[a]", "{a: b}", "a\\nb", " a", "a ", "$(GOMEMLIMIT)", "$$(GOMEMLIMIT)", "$$$(GOMEMLIMIT)", "$", "$$", "$(", "${HOME}", "日本", "\u2028b: c", "\u2029", "\ufeff", "😀", strings.Repeat("long ", 100), "---", "...", ">-", "|",
}

// A value that YAML or the kubelet read differently would import into another app or other columns,
// or put an object into the cluster.
func TestAValueArrivesAsItWasGiven(t *testing.T) {
	for _, odd := range oddities {
		c := read(t, flags("identifier", odd, "input", "/data/"+odd, "env", "ODD="+odd), "--only-accounts", odd)
		k := c.jobs[0].Spec.Template.Spec.Containers[0]
		var got []string
		for _, word := range k.Args {
			got = append(got, kubelet(word, k.Env))
		}
		for _, want := range []string{"--identifier=" + odd, "--only-accounts=" + odd} {
			if !slices.Contains(got, want) {
				t.Errorf("%q: not in %q", want, got)
			}
		}
		if len(c.jobs) != 1 || len(c.claims) != 1 || len(c.policies) != 1 {
			t.Errorf("%q makes another object", odd)
		}
		variable := k.Env[len(k.Env)-1]
		if variable.Name != "ODD" || kubelet(variable.Value, k.Env) != odd {
			t.Errorf("%q: the variable is %q", odd, variable.Value)
		}
		if err := c.check(); err != nil {
			t.Errorf("%q: %v", odd, err)
		}
	}
	for _, name := range []string{"yes", "null", "true", "_1"} {
		env := read(t, flags("env", name+"=x")).jobs[0].Spec.Template.Spec.Containers[0].Env
		if got := env[len(env)-1].Name; got != name {
			t.Errorf("the variable %q is called %q", name, got)
		}
	}
}

func TestTheSameFlagsGiveTheSameBytes(t *testing.T) {
	first, err := render(flags(everything...))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := render(flags(everything...))
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("%v\n%s", err, again)
		}
	}
}

func TestAShardKnowsItsShare(t *testing.T) {
	c := read(t, flags("shards", "4"))
	k := c.jobs[0].Spec.Template.Spec.Containers[0]
	if len(c.jobs) != 1 || len(c.claims) != 1 || *c.jobs[0].Spec.Completions != 4 {
		t.Errorf("%d Jobs, %d claims", len(c.jobs), len(c.claims))
	}
	if !slices.Contains(k.Env, corev1.EnvVar{Name: "FRIENDMIGRATE_SHARDS", Value: "4"}) || slices.ContainsFunc(k.Args, func(a string) bool { return strings.HasPrefix(a, "--shard") }) {
		t.Errorf("an Indexed Job: %q %v", k.Args, k.Env)
	}

	c = read(t, flags("shards", "4", "claim-per-shard", "true"))
	if len(c.jobs) != 4 || len(c.claims) != 4 {
		t.Fatalf("%d Jobs, %d claims", len(c.jobs), len(c.claims))
	}
	for i, j := range c.jobs {
		k := j.Spec.Template.Spec.Containers[0]
		share := "--shard=" + string(rune('0'+i)) + "/4"
		if !slices.Contains(k.Args, share) || slices.ContainsFunc(k.Env, func(e corev1.EnvVar) bool { return e.Name == "FRIENDMIGRATE_SHARDS" }) {
			t.Errorf("Job %d: %q %v", i, k.Args, k.Env)
		}
		if j.Spec.Template.Spec.Volumes[0].PersistentVolumeClaim.ClaimName != c.claims[i].Name {
			t.Errorf("Job %d has claim %s", i, j.Spec.Template.Spec.Volumes[0].PersistentVolumeClaim.ClaimName)
		}
	}
}

func TestTimesFollowTheSettings(t *testing.T) {
	text, err := render(flags("max-duration", "1h"))
	if err != nil || !bytes.Contains(text, []byte("# --max-duration: 3609 s after")) {
		t.Errorf("%v\n%s", err, text)
	}
	s := read(t, flags("timeout", "12500ms", "max-duration", "1h")).jobs[0].Spec
	if got := *s.Template.Spec.TerminationGracePeriodSeconds; got != 133 {
		t.Errorf("%d s of grace for calls of 12.5 s", got)
	}
	for window, want := range map[string]int64{"1h": 3609, "1s": 10, "1500ms": 10, "5h59m59.999s": 21608, "90m": 5409} {
		for _, more := range [][]string{nil, {"shards", "3"}, {"cron", "@daily"}, {"pod-monitor", "true"}, {"timeout", "1m"}} {
			s := read(t, flags(append([]string{"max-duration", window}, more...)...)).jobs[0].Spec
			if got := *s.ActiveDeadlineSeconds; got != want {
				t.Errorf("--max-duration %s %q: the Job ends %d s after its start, want %d", window, more, got, want)
			}
		}
	}
	if s := read(t, flags()).jobs[0].Spec; *s.Template.Spec.TerminationGracePeriodSeconds != 130 || s.ActiveDeadlineSeconds != nil {
		t.Errorf("by default: %+v", s)
	}
}

func TestMemoryFollowsTheSettings(t *testing.T) {
	for memory, want := range map[string][3]string{
		"256MiB": {"256Mi", "384Mi", "241591911"}, "1GiB": {"1Gi", "1472Mi", "966367642"}, "100MB": {"96Mi", "192Mi", "81125632"},
	} {
		k := read(t, flags("memory", memory)).jobs[0].Spec.Template.Spec.Containers[0]
		request, limit := k.Resources.Requests["memory"], k.Resources.Limits["memory"]
		wanted := resource.MustParse(want[0])
		if request.Cmp(wanted) != 0 || limit.String() != want[1] || k.Env[0].Value != want[2] || !slices.Contains(k.Args, "--memory="+memory) {
			t.Errorf("%s: %s of %s, GOMEMLIMIT %s", memory, request.String(), limit.String(), k.Env[0].Value)
		}
	}
}

// The Job controller reckons in whole seconds: a Job that begins at 0.9 s began at 0 s, and a pod
// that ends at 0.9 s ended at 0 s. It starts the next pod 10 s after the end of one at the soonest.
// However these are cut off, the deadline is past by then, so that nothing is sent after the
// window.
func TestNoSecondPodBeginsAfterTheWindow(t *testing.T) {
	const backoff = 10 * time.Second
	for window := time.Second; window < 4*time.Second; window += 100 * time.Millisecond {
		s := read(t, flags("max-duration", window.String())).jobs[0].Spec
		deadline := time.Duration(*s.ActiveDeadlineSeconds) * time.Second
		for start := time.Duration(0); start < time.Second; start += 100 * time.Millisecond {
			ended := (start + window).Truncate(time.Second) // at the soonest
			if ends, next := start.Truncate(time.Second)+deadline, ended+backoff; next <= ends {
				t.Errorf("--max-duration %s, started at %s: the Job ends at %s, and another pod begins at %s", window, start, ends, next)
			}
		}
		if deadline > window+9*time.Second {
			t.Errorf("--max-duration %s: the Job ends after %s", window, deadline)
		}
	}
}

// A rehearsal finds out whether image, volume and policy fit, before there is a key.
func TestARehearsalNeedsNoSecret(t *testing.T) {
	s := read(t, map[string][]string{}, "--rehearse").jobs[0].Spec.Template.Spec
	if len(s.Volumes) != 1 || !slices.Contains(s.Containers[0].Args, "--rehearse=true") || strings.Contains(strings.Join(s.Containers[0].Args, " "), "secret") {
		t.Errorf("%+v", s)
	}
}

func TestTheSecretIsAReference(t *testing.T) {
	s := read(t, flags("secret", "chat", "input", "s3://bucket")).jobs[0].Spec.Template.Spec
	v, k := s.Volumes[1].Secret, s.Containers[0]
	if v.SecretName != "chat" || *v.DefaultMode != 0o440 || v.Items[0].Key != "secret-key" || len(v.Items) != 1 {
		t.Errorf("%+v", v)
	}
	if k.Args[1] != "--secret-key-file="+k.VolumeMounts[1].MountPath+"/"+v.Items[0].Path || !k.VolumeMounts[1].ReadOnly {
		t.Errorf("%q %+v", k.Args, k.VolumeMounts)
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		i := slices.IndexFunc(k.Env, func(e corev1.EnvVar) bool { return e.Name == name })
		optional := k.Env[i].ValueFrom.SecretKeyRef.Optional
		if e := k.Env[i]; (optional != nil && *optional) != (name == "AWS_SESSION_TOKEN") || e.ValueFrom.SecretKeyRef.Name != "chat" || e.ValueFrom.SecretKeyRef.Key != name {
			t.Errorf("%+v", e)
		}
	}
}

// The longest name that is accepted still makes names that Kubernetes accepts: check looks at them.
func TestTheLongestNameFits(t *testing.T) {
	for _, more := range [][]string{nil, {"shards", "200"}, {"shards", "11", "claim-per-shard", "true"}, {"cron", "@daily", "max-duration", "5h"}, {"cron", "@daily", "max-duration", "5h", "shards", "11"}} {
		longest := 0
		for n := 46; n <= 64; n++ {
			text, err := render(flags(append([]string{"name", strings.Repeat("a", n)}, more...)...))
			if err != nil {
				continue
			}
			longest = n
			var c cluster
			for _, document := range documents(text) {
				if err := c.take(document); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.check(); err != nil {
				t.Errorf("%v, %d characters: %v", more, n, err)
			}
		}
		if longest < 47 || longest > 63 {
			t.Errorf("%v: names of %d characters at most", more, longest)
		}
	}
}

func TestTheCheckFindsWhatIsPlanted(t *testing.T) {
	yes := true
	for what, plant := range map[string]func(*cluster){
		"runAsNonRoot": func(c *cluster) { c.jobs[0].Spec.Template.Spec.SecurityContext.RunAsNonRoot = nil },
		"seccomp":      func(c *cluster) { c.jobs[0].Spec.Template.Spec.SecurityContext.SeccompProfile = nil },
		"privilege escalation": func(c *cluster) {
			c.jobs[0].Spec.Template.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = &yes
		},
		"capabilities": func(c *cluster) { c.jobs[0].Spec.Template.Spec.Containers[0].SecurityContext.Capabilities = nil },
		"host path": func(c *cluster) {
			c.jobs[0].Spec.Template.Spec.Volumes[0].VolumeSource = corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}
		},
		"restart policy": func(c *cluster) { c.jobs[0].Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyOnFailure },
		"a code too many": func(c *cluster) {
			c.jobs[0].Spec.PodFailurePolicy.Rules[1].OnExitCodes.Values = []int32{2, 3, 4, 5, 6, 10, 12}
		},
		"a label":     func(c *cluster) { c.policies[0].Spec.PodSelector.MatchLabels["app.kubernetes.io/name"] = "other" },
		"token":       func(c *cluster) { c.jobs[0].Spec.Template.Spec.AutomountServiceAccountToken = &yes },
		"access mode": func(c *cluster) { c.claims[0].Spec.AccessModes[0] = corev1.ReadWriteOnce },
	} {
		decoded.Clear()
		c := read(t, flags())
		if err := c.check(); err != nil {
			t.Fatal(err)
		}
		plant(&c)
		if c.check() == nil {
			t.Errorf("%s: not found", what)
		}
	}
	decoded.Clear()
}

func TestAPodTellsItsOwn2FromThatOfGo(t *testing.T) {
	text, err := render(flags())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"; 78: flags, settings or input that cannot be used", `name: "` + exit.PodVariable + `"`,
		"Kubernetes 1.34 and newer"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if bytes.Contains(text, []byte("; 2: ")) || bytes.Contains(text, []byte("\t")) {
		t.Errorf("%s", text)
	}
}
