package sink

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// region is the place of an app's data. It is chosen when the app is created and never changes.
type region struct{ name, host, backup string }

// regions returns the regions from the vendor's REST overview and the pages of the friend APIs.
// Other regions need an endpoint.
func regions() []region {
	return []region{
		{"china", "console.tim.qq.com", "adminapi.my-imcloud.com"},
		{"singapore", "adminapisgp.im.qcloud.com", "adminapisgp.my-imcloud.com"},
		{"seoul", "adminapikr.im.qcloud.com", "adminapikr.my-imcloud.com"},
		{"frankfurt", "adminapiger.im.qcloud.com", "adminapiger.my-imcloud.com"},
		{"silicon-valley", "adminapiusa.im.qcloud.com", "adminapiusa.my-imcloud.com"},
		{"jakarta", "adminapiidn.im.qcloud.com", "adminapiidn.my-imcloud.com"},
		{"tokyo", "adminapijpn.im.qcloud.com", "adminapijpn.my-imcloud.com"},
	}
}

// Regions returns the names that RegionEndpoint knows.
func Regions() []string {
	var names []string
	for _, r := range regions() {
		names = append(names, r.name)
	}
	return names
}

// RegionEndpoint returns the URL of a region's host, or of its second host, which the vendor keeps
// in case the first is unreachable.
func RegionEndpoint(name string, backup bool) (string, error) {
	for _, r := range regions() {
		switch {
		case r.name != name:
		case backup:
			return "https://" + r.backup, nil
		default:
			return "https://" + r.host, nil
		}
	}
	return "", fmt.Errorf("find region %q: it is none of %s", name, strings.Join(Regions(), " "))
}

// parseEndpoint checks the URL for calls. It must be https, or http to this machine (to any machine
// with allowPlain), because the query contains the signature.
func parseEndpoint(text string, allowPlain bool) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse endpoint: it is no URL") // the error would print it, and it may hold a password
	}
	switch {
	case u.User != nil:
		return nil, fmt.Errorf("parse endpoint %q: it must not hold a user or password", u.Redacted())
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, fmt.Errorf("parse endpoint %q: it must be https://HOST", u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("parse endpoint: it must not hold a query or fragment")
	case u.Scheme == "http" && !allowPlain && !loopback(u.Hostname()):
		return nil, fmt.Errorf("parse endpoint %q: http:// would show the signature to everybody on the way; "+
			"it is for this machine only, else ask for plain HTTP by name", u.Redacted())
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
