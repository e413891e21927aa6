package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/sink/simulator"
)

// A Job whose command line import does not take would fail in the cluster and nowhere else. So each
// pod's command line is run here, with the paths of the container turned into folders of this test.
func TestThePodsOfAManifestImportEverything(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]string{
		"one pod":                   nil,
		"an Indexed Job":            {"--shards", "3"},
		"a Job for each shard":      {"--shards", "3", "--claim-per-shard"},
		"an Indexed Job of one pod": {"--shards", "1", "--max-duration", "1h", "--timeout", "5s"},
	} {
		t.Run(name, func(t *testing.T) {
			s, url := serveApp(t, simulator.Config{})
			data, keys := t.TempDir(), t.TempDir()
			rows := "uid,To_Account,AddSource\n"
			for i := range 60 {
				rows += fmt.Sprintf("u%d,f%d,AddSource_Type_Import\n", i%20, i)
			}
			err := errors.Join(os.WriteFile(filepath.Join(keys, "secret-key"), []byte(scriptKey), 0o600), os.Mkdir(filepath.Join(data, "input"), 0o700),
				os.WriteFile(filepath.Join(data, "input", "friends.csv"), []byte(rows), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"--sdk-app-id", scriptApp, "--endpoint", url, "--rate", "100000"}, more...)
			container := strings.NewReplacer("/data", data, "/etc/friendmigrate", keys)
			for _, pod := range podsOf(t, append(args, "--", "--map", "From_Account=uid")) {
				for i, word := range pod.args {
					pod.args[i] = container.Replace(word)
				}
				delete(pod.env, exit.JobVariable) // with it a hint of all these flags is longer than a last line should be
				call(t, 0, pod.env, pod.args...)
				call(t, 0, pod.env, append([]string{"verify", "--fields"}, pod.args[1:]...)...) // as the page says
			}
			arrived := 0
			for range s.Graph {
				arrived++
			}
			if arrived != 60 {
				t.Errorf("%d of 60 edges arrived", arrived)
			}
		})
	}
}

// A rehearsal in the cluster has no key, and its folder has to lie in the volume: nothing else is
// writable.
func TestAPodThatRehearsesWritesIntoItsVolume(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	input := filepath.Join(data, "input")
	err := errors.Join(os.Mkdir(input, 0o700), os.WriteFile(filepath.Join(input, "friends.csv"), []byte("From_Account,To_Account,AddSource\na,b,AddSource_Type_Import\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range podsOf(t, []string{"--", "--rehearse"}) {
		for i, word := range pod.args {
			pod.args[i] = strings.ReplaceAll(word, "/data", data)
		}
		delete(pod.env, exit.JobVariable) // as above
		call(t, 0, pod.env, pod.args...)
	}
	if _, err := os.Stat(filepath.Join(data, settings.DefaultState, settings.RehearsalFolder, "report.json")); err != nil {
		t.Error(err)
	}
}

// Only the cluster knows where the Job is: a CronJob makes its name, and a host name may be cut
// off. Its variable is also how the program knows that it is in a pod of the manifest.
func TestAHintOfAPodNamesItsJob(t *testing.T) {
	t.Parallel()
	for _, pod := range podsOf(t, []string{"--", "--rehearse"}) {
		_, said := call(t, 2, pod.env, pod.args...)
		if !strings.Contains(said, "; hint: kubectl --namespace chat delete job friends-29000000 # then ") {
			t.Error(said)
		}
	}
}

// pod is what a container is started with.
type pod struct {
	args []string
	env  map[string]string
}

// podsOf prints a manifest and starts its pods, as a Job's controller and the kubelet would.
func podsOf(t *testing.T, args []string) []pod {
	t.Helper()
	text, _ := call(t, 0, nil, append([]string{"manifest"}, args...)...)
	fields := map[string]string{"metadata.namespace": "chat", "metadata.labels['batch.kubernetes.io/job-name']": "friends-29000000"}
	var pods []pod
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var job struct {
			Kind string
			Spec struct {
				Completions    int
				CompletionMode string `yaml:"completionMode"`
				Template       struct {
					Spec struct {
						Containers []struct {
							Args []string
							Env  []struct {
								Name, Value string
								ValueFrom   struct {
									FieldRef struct {
										FieldPath string `yaml:"fieldPath"`
									} `yaml:"fieldRef"`
								} `yaml:"valueFrom"`
							}
						}
					}
				}
			}
		}
		if err := d.Decode(&job); errors.Is(err, io.EOF) {
			return pods
		} else if err != nil {
			t.Fatal(err)
		}
		for i := 0; job.Kind == "Job" && i < job.Spec.Completions; i++ {
			c := job.Spec.Template.Spec.Containers[0]
			p := pod{args: append([]string(nil), c.Args...), env: map[string]string{}}
			for _, e := range c.Env {
				p.env[e.Name] = e.Value + fields[e.ValueFrom.FieldRef.FieldPath]
			}
			if job.Spec.CompletionMode == "Indexed" {
				p.env["JOB_COMPLETION_INDEX"] = fmt.Sprint(i)
			}
			pods = append(pods, p)
		}
	}
}

// The commands of the README's Kubernetes page print what they say.
func TestTheManifestsOfTheREADMEArePrinted(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("topics/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	printed := 0
	for _, line := range commandLines(string(page), "./friendmigrate manifest ") {
		words, _, _ := strings.Cut(line, " > ")
		var args []string
		for i, part := range strings.Split(words, "'") { // every second one was quoted
			if i%2 == 1 {
				args = append(args, part)
			} else {
				args = append(args, strings.Fields(part)...)
			}
		}
		env := map[string]string{settings.Variable("sdk-app-id"): "1400000000", settings.Variable("region"): "singapore"}
		if text, _ := call(t, 0, env, args[1:]...); !strings.Contains(text, "kind: ") {
			t.Errorf("%s prints %q", line, text)
		}
		printed++
	}
	if printed < 6 {
		t.Errorf("the README has %d manifests", printed)
	}
}

// commandLines are the lines of a page's code that begin so, continued lines joined.
func commandLines(page, begin string) []string {
	var lines []string
	for i, block := range strings.Split(page, "```") {
		if i%2 == 0 {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", " ")) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, begin) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}
