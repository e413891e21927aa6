package cluster

import (
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// The README's pod that copies the input in has to pass in the namespace that the README sets up,
// and to leave files that the job's user can read.
func TestTheLoaderOfTheREADMEIsAccepted(t *testing.T) {
	page, err := os.ReadFile("../../topics/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "# loader.yaml\n")
	text, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("there is no loader.yaml")
	}
	var loader corev1.Pod
	if err := yaml.UnmarshalStrict([]byte(text), &loader); err != nil {
		t.Fatal(err)
	}
	if err := restricted(&corev1.PodTemplateSpec{ObjectMeta: loader.ObjectMeta, Spec: loader.Spec}); err != nil {
		t.Error(err)
	}
	job := read(t, flags()).jobs[0].Spec.Template.Spec
	if *loader.Spec.SecurityContext.RunAsUser != *job.SecurityContext.RunAsUser {
		t.Error("the loader is another user than the job")
	}
	if got, want := loader.Spec.Volumes[0].PersistentVolumeClaim.ClaimName, job.Volumes[0].PersistentVolumeClaim.ClaimName; got != want {
		t.Errorf("the loader fills claim %s, the job reads %s", got, want)
	}
}
