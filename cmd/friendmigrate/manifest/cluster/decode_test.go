package cluster

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	yamlv3 "go.yaml.in/yaml/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"friendmigrate/cmd/friendmigrate/manifest"
	"friendmigrate/cmd/friendmigrate/settings"
)

// cluster is what a manifest holds, as Kubernetes' own types.
type cluster struct {
	claims   []corev1.PersistentVolumeClaim
	policies []networkingv1.NetworkPolicy
	monitors []monitoringv1.PodMonitor
	crons    []batchv1.CronJob
	jobs     []batchv1.Job // of crons too
}

// take decodes one document into the type that it says it is, and refuses what that type does not
// have.
func (c *cluster) take(document []byte) error {
	head := strings.SplitN(string(document), "\n", 3)
	if len(head) < 3 {
		return fmt.Errorf("a document of %d lines", len(head))
	}
	switch said := head[0] + ", " + head[1]; said {
	case "apiVersion: v1, kind: PersistentVolumeClaim":
		return strict(document, &c.claims)
	case "apiVersion: networking.k8s.io/v1, kind: NetworkPolicy":
		return strict(document, &c.policies)
	case "apiVersion: monitoring.coreos.com/v1, kind: PodMonitor":
		return strict(document, &c.monitors)
	case "apiVersion: batch/v1, kind: Job":
		return strict(document, &c.jobs)
	case "apiVersion: batch/v1, kind: CronJob":
		if err := strict(document, &c.crons); err != nil {
			return err
		}
		made := c.crons[len(c.crons)-1]
		job := batchv1.Job{ObjectMeta: made.Spec.JobTemplate.ObjectMeta, Spec: made.Spec.JobTemplate.Spec}
		job.Name, job.Namespace = made.Name+"-29000000", made.Namespace // as the controller does
		c.jobs = append(c.jobs, job)
		return nil
	default:
		return fmt.Errorf("%s: no object that belongs here", said)
	}
}

// decoded keeps documents that many combinations have in common, by their text.
var decoded sync.Map

func strict[T any](document []byte, into *[]T) error {
	if known, ok := decoded.Load(string(document)); ok {
		*into = append(*into, *known.(*T))
		return nil
	}
	object := new(T)
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return err
	}
	decoded.Store(string(document), object)
	*into = append(*into, *object)
	return nil
}

// documents splits a manifest as kubectl does.
func documents(text []byte) [][]byte {
	all := bytes.Split(text, []byte("\n---\n"))
	return all[1:] // before the first one is a comment
}

// render makes a manifest of what the command is given; the words after -- are extra.
func render(flags map[string][]string, extra ...string) ([]byte, error) {
	o, err := manifest.Read(settings.Values{Flags: flags}, extra, "1.2.3")
	if err != nil {
		return nil, err
	}
	return manifest.Render(o)
}

// flags are what a manifest needs, and more of it as name and value.
func flags(more ...string) map[string][]string {
	all := map[string][]string{"sdk-app-id": {"1400000000"}, "region": {"singapore"}}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = append(all[more[i]], more[i+1])
	}
	return all
}

// read renders and decodes.
func read(t *testing.T, flags map[string][]string, extra ...string) cluster {
	t.Helper()
	text, err := render(flags, extra...)
	if err != nil {
		t.Fatal(err)
	}
	var c cluster
	for _, document := range documents(text) {
		if err := c.take(document); err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
	}
	return c
}

// everything are flags that bring every kind of object and every field.
var everything = []string{
	"namespace", "chat", "pull-secret", "registry", "shards", "3", "storage-class", "fast", "listen", ":9090", "pod-monitor", "true",
	"input", "s3://bucket/friends", "max-duration", "5h", "env", "HTTPS_PROXY=http://proxy:3128",
}

// Each key of each document is misspelt in turn: none may pass, or a typing error of ours would be
// dropped by the cluster without a word.
func TestAMisspeltFieldIsCaught(t *testing.T) {
	tried := map[string]bool{}
	for _, more := range [][]string{nil, {"claim-per-shard", "true"}, {"cron", "0 1 * * *"}} {
		text, err := render(flags(append(slices.Clone(everything), more...)...))
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range documents(text) {
			var root yamlv3.Node
			if err := yamlv3.Unmarshal(document, &root); err != nil {
				t.Fatal(err)
			}
			kind := strings.Fields(string(document))[3]
			eachKey(root.Content[0], kind, func(path string, key *yamlv3.Node) {
				if tried[path] || strings.Contains(path, ".annotations.") { // whose keys are free
					return
				}
				tried[path] = true
				right := key.Value
				key.Value += "x"
				wrong, err := yamlv3.Marshal(&root)
				key.Value = right
				if err != nil {
					t.Fatal(err)
				}
				if err := new(cluster).take(wrong); err == nil {
					t.Errorf("%sx passes", path)
				}
			})
		}
	}
	if len(tried) < 200 {
		t.Errorf("only %d fields were tried", len(tried))
	}
}

// freeKeys are objects with keys of one's own.
var freeKeys = []string{"labels", "matchLabels", "requests", "limits"}

func eachKey(n *yamlv3.Node, path string, visit func(path string, key *yamlv3.Node)) {
	switch n.Kind {
	case yamlv3.SequenceNode:
		for _, child := range n.Content {
			eachKey(child, path, visit)
		}
	case yamlv3.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			visit(path+"."+key.Value, key)
			if !slices.Contains(freeKeys, key.Value) {
				eachKey(value, path+"."+key.Value, visit)
			}
		}
	}
}
