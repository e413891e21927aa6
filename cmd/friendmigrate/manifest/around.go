package manifest

import "maps"

// claim is the volume of a Job: its input and its state.
func (o Options) claim(i int) object {
	mode := "ReadWriteOncePod" // one pod in the whole cluster: what the lock in the state folder does too, but earlier
	if o.indexed() {
		mode = "ReadWriteMany"
	}
	return object{"v1", "PersistentVolumeClaim", o.metadata(o.jobName(i), "storage"), claimSpec{
		AccessModes:      []string{mode},
		StorageClassName: o.StorageClass,
		VolumeMode:       "Filesystem",
		Resources:        resources{Requests: map[string]string{"storage": o.StorageSize}},
	}}
}

// networkPolicy lets the pods ask for names and call by TLS, and nothing else; nobody calls them but for their metrics, where these are served.
func (o Options) networkPolicy() object {
	dns := traffic{[]policyPort{{"UDP", 53}, {"TCP", 53}}}
	out := []policyPort{{"TCP", 443}}
	if o.EndpointPort != 0 && o.EndpointPort != 443 {
		out = append(out, policyPort{"TCP", o.EndpointPort})
	}
	s := policySpec{
		PodSelector: selector{o.selector()},
		PolicyTypes: []string{"Ingress", "Egress"},
		Ingress:     []traffic{},
		Egress:      []traffic{dns, {out}},
	}
	if o.MetricsPort > 0 {
		s.Ingress = append(s.Ingress, traffic{[]policyPort{{"TCP", metricsName}}})
	}
	return object{"networking.k8s.io/v1", "NetworkPolicy", o.metadata(o.Name, "network"), s}
}

// podMonitor tells the Prometheus operator where the metrics are.
func (o Options) podMonitor() object {
	return object{"monitoring.coreos.com/v1", "PodMonitor", o.metadata(o.Name, "monitoring"), monitorSpec{
		JobLabel:            labelInstance,
		PodTargetLabels:     []string{"batch.kubernetes.io/job-name", "batch.kubernetes.io/job-completion-index"},
		Selector:            selector{o.selector()},
		PodMetricsEndpoints: []metricsEndpoint{{metricsName, "/metrics", "15s"}},
	}}
}

const labelInstance = "app.kubernetes.io/instance"

func (o Options) metadata(name, component string) metadata {
	return metadata{Name: name, Namespace: o.Namespace, Labels: o.labels(component)}
}

func (o Options) labels(component string) map[string]string {
	labels := o.selector()
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

// selector is what all pods of this manifest have in common, and no others.
func (o Options) selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": "friendmigrate", labelInstance: o.Name}
}
