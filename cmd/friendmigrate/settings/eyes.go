package settings

import (
	"net"
	"strconv"
	"time"
)

// Eyes says who may look at a run, and how long.
type Eyes struct {
	Listen string        // HOST:PORT; "": nobody listens
	Linger time.Duration // goes on serving after the end, for the last scrape
}

func eyesFlags() []Flag {
	g := groupEyes
	return []Flag{
		{Name: "listen", Value: "HOST:PORT", Default: "off", Usage: "serve /metrics, /healthz, /readyz and /status there; port 0 takes a free one", Group: g},
		{Name: "linger", Value: "TIME", Default: "off", Usage: "go on serving so long after the end, for the last scrape; a signal ends it", Group: g},
	}
}

func (r *reader) eyes() Eyes {
	e := Eyes{Listen: r.text("listen", ""), Linger: r.duration("linger", 0, 0, 24*time.Hour)}
	if e.Linger > 0 && e.Listen == "" {
		_, origin, _ := r.last("linger")
		r.refuse("linger", "", "%s is how long --listen goes on after the end, and --listen is not given", origin)
	}
	if e.Listen == "" {
		return e
	}
	_, origin, _ := r.last("listen")
	_, port, err := net.SplitHostPort(e.Listen)
	if err != nil {
		r.refuse("listen", "127.0.0.1:9090", "%s is %q: it is HOST:PORT, such as 127.0.0.1:9090, or :9090 for every address of this machine", origin, e.Listen)
		return e
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		r.refuse("listen", "127.0.0.1:9090", "%s has the port %q: a number up to 65535 is needed", origin, port)
	}
	return e
}
