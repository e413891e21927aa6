package manifest

// The parts of Kubernetes' objects that are written here, under the names of its API.

type object struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       any      `yaml:"spec"`
}

type metadata struct {
	Name      string            `yaml:"name,omitempty"`
	Namespace string            `yaml:"namespace,omitempty"`
	Labels    map[string]string `yaml:"labels"`
}

type claimSpec struct {
	AccessModes      []string  `yaml:"accessModes"`
	StorageClassName string    `yaml:"storageClassName,omitempty"`
	VolumeMode       string    `yaml:"volumeMode"`
	Resources        resources `yaml:"resources"`
}

type resources struct {
	Requests map[string]string `yaml:"requests,omitempty"`
	Limits   map[string]string `yaml:"limits,omitempty"`
}

type policySpec struct {
	PodSelector selector  `yaml:"podSelector"`
	PolicyTypes []string  `yaml:"policyTypes"`
	Ingress     []traffic `yaml:"ingress"`
	Egress      []traffic `yaml:"egress"`
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type traffic struct {
	Ports []policyPort `yaml:"ports"`
}

type policyPort struct {
	Protocol string `yaml:"protocol"`
	Port     any    `yaml:"port"`
}

type monitorSpec struct {
	JobLabel            string            `yaml:"jobLabel"`
	PodTargetLabels     []string          `yaml:"podTargetLabels"`
	Selector            selector          `yaml:"selector"`
	PodMetricsEndpoints []metricsEndpoint `yaml:"podMetricsEndpoints"`
}

type metricsEndpoint struct {
	Port     string `yaml:"port"`
	Path     string `yaml:"path"`
	Interval string `yaml:"interval"`
}

type cronSpec struct {
	Schedule                   string   `yaml:"schedule"`
	TimeZone                   string   `yaml:"timeZone"`
	ConcurrencyPolicy          string   `yaml:"concurrencyPolicy"`
	StartingDeadlineSeconds    int64    `yaml:"startingDeadlineSeconds"`
	SuccessfulJobsHistoryLimit int      `yaml:"successfulJobsHistoryLimit"`
	FailedJobsHistoryLimit     int      `yaml:"failedJobsHistoryLimit"`
	JobTemplate                template `yaml:"jobTemplate"`
}

type template struct {
	Metadata metadata `yaml:"metadata"`
	Spec     any      `yaml:"spec"`
}

type jobSpec struct {
	CompletionMode        string        `yaml:"completionMode"`
	Completions           int           `yaml:"completions"`
	Parallelism           int           `yaml:"parallelism"`
	BackoffLimit          *int          `yaml:"backoffLimit,omitempty"`
	BackoffLimitPerIndex  *int          `yaml:"backoffLimitPerIndex,omitempty"`
	MaxFailedIndexes      *int          `yaml:"maxFailedIndexes,omitempty"`
	ActiveDeadlineSeconds int64         `yaml:"activeDeadlineSeconds,omitempty"`
	PodReplacementPolicy  string        `yaml:"podReplacementPolicy"`
	PodFailurePolicy      failurePolicy `yaml:"podFailurePolicy"`
	Template              template      `yaml:"template"`
}

type failurePolicy struct {
	Rules []failureRule `yaml:"rules"`
}

type failureRule struct {
	Action          string         `yaml:"action"`
	OnPodConditions []podCondition `yaml:"onPodConditions,omitempty"`
	OnExitCodes     *exitCodes     `yaml:"onExitCodes,omitempty"`
}

type podCondition struct {
	Type   string `yaml:"type"`
	Status string `yaml:"status"`
}

type exitCodes struct {
	ContainerName string `yaml:"containerName"`
	Operator      string `yaml:"operator"`
	Values        []int  `yaml:"values,flow"`
}

type podSpec struct {
	RestartPolicy                 string          `yaml:"restartPolicy"`
	TerminationGracePeriodSeconds int64           `yaml:"terminationGracePeriodSeconds"`
	AutomountServiceAccountToken  bool            `yaml:"automountServiceAccountToken"`
	EnableServiceLinks            bool            `yaml:"enableServiceLinks"`
	ImagePullSecrets              []reference     `yaml:"imagePullSecrets,omitempty"`
	SecurityContext               podSecurity     `yaml:"securityContext"`
	Containers                    []containerSpec `yaml:"containers"`
	Volumes                       []volume        `yaml:"volumes"`
}

type reference struct {
	Name string `yaml:"name"`
}

type podSecurity struct {
	RunAsNonRoot        bool   `yaml:"runAsNonRoot"`
	RunAsUser           int64  `yaml:"runAsUser"`
	RunAsGroup          int64  `yaml:"runAsGroup"`
	FSGroup             int64  `yaml:"fsGroup"`
	FSGroupChangePolicy string `yaml:"fsGroupChangePolicy"`
	SeccompProfile      struct {
		Type string `yaml:"type"`
	} `yaml:"seccompProfile"`
}

type containerSpec struct {
	Name                     string            `yaml:"name"`
	Image                    string            `yaml:"image"`
	ImagePullPolicy          string            `yaml:"imagePullPolicy"`
	Args                     []string          `yaml:"args"`
	WorkingDir               string            `yaml:"workingDir"`
	Env                      []envVar          `yaml:"env"`
	Ports                    []containerPort   `yaml:"ports,omitempty"`
	Resources                resources         `yaml:"resources"`
	SecurityContext          containerSecurity `yaml:"securityContext"`
	TerminationMessagePath   string            `yaml:"terminationMessagePath"`
	TerminationMessagePolicy string            `yaml:"terminationMessagePolicy"`
	VolumeMounts             []volumeMount     `yaml:"volumeMounts"`
}

type envVar struct {
	Name      string     `yaml:"name"`
	Value     string     `yaml:"value,omitempty"`
	ValueFrom *envSource `yaml:"valueFrom,omitempty"`
}

type envSource struct {
	SecretKeyRef secretKey `yaml:"secretKeyRef"`
}

type secretKey struct {
	Name string `yaml:"name"`
	Key  string `yaml:"key"`
}

type containerPort struct {
	Name          string `yaml:"name"`
	ContainerPort int    `yaml:"containerPort"`
	Protocol      string `yaml:"protocol"`
}

type containerSecurity struct {
	AllowPrivilegeEscalation bool `yaml:"allowPrivilegeEscalation"`
	ReadOnlyRootFilesystem   bool `yaml:"readOnlyRootFilesystem"`
	Capabilities             struct {
		Drop []string `yaml:"drop,flow"`
	} `yaml:"capabilities"`
}

type volumeMount struct {
	Name      string `yaml:"name"`
	MountPath string `yaml:"mountPath"`
	ReadOnly  bool   `yaml:"readOnly,omitempty"`
}

type volume struct {
	Name                  string        `yaml:"name"`
	PersistentVolumeClaim *claimVolume  `yaml:"persistentVolumeClaim,omitempty"`
	Secret                *secretVolume `yaml:"secret,omitempty"`
}

type claimVolume struct {
	ClaimName string `yaml:"claimName"`
}

type secretVolume struct {
	SecretName  string `yaml:"secretName"`
	DefaultMode int    `yaml:"defaultMode"`
	Items       []item `yaml:"items"`
}

type item struct {
	Key  string `yaml:"key"`
	Path string `yaml:"path"`
}
