package simulator

// Friend is an edge in the graph: what the service keeps about To in From's list.
type Friend struct {
	To         string   `json:"To_Account"`
	Remark     string   `json:"Remark,omitempty"`
	RemarkTime int64    `json:"RemarkTime,omitempty"` // Unix seconds; friend_get has no tag for it
	Groups     []string `json:"GroupName,omitempty"`
	AddSource  string   `json:"AddSource,omitempty"`
	AddWording string   `json:"AddWording,omitempty"`
	AddTime    int64    `json:"AddTime,omitempty"` // Unix seconds
	Custom     []Custom `json:"CustomItem,omitempty"`
}

// Custom is a custom friend field.
type Custom struct {
	Tag     string
	Value   string // a string as it is, an integer as its digits
	Integer bool
}
