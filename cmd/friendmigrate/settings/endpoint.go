package settings

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// CheckEndpoint checks the URL of a service and returns it as scheme://host[:port]. http is for this machine only, unless plain is set: the
// signature is in every URL.
func CheckEndpoint(endpoint string, plain bool) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", errors.New("--endpoint has to be the URL of a service, such as https://adminapisgp.im.qcloud.com") // not repeated: it may carry a secret
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", errors.New("--endpoint is scheme, host and port alone: no user, path or query")
	}
	if u.Scheme == "http" && !plain && !loopback(u.Hostname()) {
		return "", fmt.Errorf("--endpoint http://%s would send the signature in plain text: use https, or --allow-plain-http if that is what you want", u.Host)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}
