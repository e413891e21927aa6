package manifest

import (
	"slices"
	"strconv"
	"strings"
)

const (
	containerName = "friendmigrate"
	user          = 65532 // the image's
	secretMode    = 0o440 // for the group, which is fsGroup's
	metricsName   = "metrics"

	// Measured: sending 200 calls per second takes a tenth of a core. Staging takes what it gets, so there is no limit: a throttled pod would be late for its pace.
	cpuRequest = "250m"
)

// pod is the pod of a Job.
func (o Options) pod(i int) podSpec {
	p := podSpec{
		RestartPolicy:                 "Never", // podFailurePolicy asks for it
		TerminationGracePeriodSeconds: o.grace(),
		SecurityContext:               podSecurity{RunAsNonRoot: true, RunAsUser: user, RunAsGroup: user, FSGroup: user, FSGroupChangePolicy: "OnRootMismatch"},
		Containers:                    []containerSpec{o.container(i)},
		Volumes:                       []volume{{Name: "data", PersistentVolumeClaim: &claimVolume{o.jobName(i)}}},
	}
	p.SecurityContext.SeccompProfile.Type = "RuntimeDefault"
	if o.PullSecret != "" {
		p.ImagePullSecrets = []reference{{o.PullSecret}}
	}
	if !o.Rehearse {
		p.Volumes = append(p.Volumes, volume{Name: "key", Secret: &secretVolume{o.Secret, secretMode, []item{{keyItem, keyItem}}}})
	}
	return p
}

func (o Options) container(i int) containerSpec {
	c := containerSpec{
		Name:                     containerName,
		Image:                    o.Image,
		ImagePullPolicy:          "IfNotPresent",
		Args:                     o.args(i),
		WorkingDir:               Folder,
		Env:                      o.environment(),
		Resources:                resources{map[string]string{"cpu": cpuRequest, "memory": mebibytes(o.Memory, 1)}, map[string]string{"memory": mebibytes(o.ContainerLimit, 64)}},
		SecurityContext:          containerSecurity{ReadOnlyRootFilesystem: true},
		TerminationMessagePath:   "/dev/termination-log",
		TerminationMessagePolicy: "FallbackToLogsOnError", // where the program could not write it: killed for its memory, say
		VolumeMounts:             []volumeMount{{Name: "data", MountPath: Folder}},
	}
	c.SecurityContext.Capabilities.Drop = []string{"ALL"}
	if o.MetricsPort > 0 {
		c.Ports = []containerPort{{metricsName, o.MetricsPort, "TCP"}}
	}
	if !o.Rehearse {
		c.VolumeMounts = append(c.VolumeMounts, volumeMount{"key", keyFolder, true}) // a whole folder: a single file would not follow a changed Secret
	}
	return c
}

// args is the command line. A flag and its value are one word, so that no value is taken for a flag.
func (o Options) args(i int) []string {
	args := []string{"import"}
	if !o.Rehearse {
		args = append(args, "--secret-key-file="+KeyFile)
	}
	args = append(args, o.Flags...)
	if o.Shards > 0 && !o.indexed() {
		args = append(args, "--shard="+decimal(i)+"/"+decimal(o.Shards))
	}
	args = append(args, o.Inputs...)
	for n, word := range args {
		args[n] = verbatim(word)
	}
	return args
}

// verbatim is s as the kubelet has to find it: it replaces $(NAME) by a variable, and $$ by $.
func verbatim(s string) string { return strings.ReplaceAll(s, "$", "$$") }

func (o Options) environment() []envVar {
	env := []envVar{{Name: "GOMEMLIMIT", Value: strconv.FormatInt(o.RuntimeLimit, 10)}} // what the program sets too, once it runs
	if o.indexed() {
		env = append(env, envVar{Name: "FRIENDMIGRATE_SHARDS", Value: decimal(o.Shards)}) // the index is the Job's to set
	}
	if slices.ContainsFunc(o.Inputs, ObjectStore) {
		for _, key := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
			env = append(env, envVar{Name: key, ValueFrom: &envSource{secretKey{o.Secret, key}}})
		}
	}
	for name, value := range podEnvironment {
		env = append(env, envVar{Name: name, Value: value})
	}
	for _, v := range o.Environment {
		env = append(env, envVar{Name: v.Name, Value: verbatim(v.Value)})
	}
	return env
}

// mebibytes is a quantity of at least n bytes, in steps of so many MiB.
func mebibytes(n, step int64) string {
	step <<= 20
	return strconv.FormatInt((n+step-1)/step*step>>20, 10) + "Mi"
}
