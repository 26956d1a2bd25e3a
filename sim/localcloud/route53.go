package localcloud

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

const route53Namespace = "https://route53.amazonaws.com/doc/2013-04-01/"

// route53Routes are the requests of the REST API: pattern, action, and which
// query parameter is which field of the input.
var route53Routes = []struct {
	pattern, action string
	query           map[string]string
}{
	{"POST /2013-04-01/hostedzone", "CreateHostedZone", nil},
	{"GET /2013-04-01/hostedzone", "ListHostedZones", map[string]string{"marker": "Marker", "maxitems": "MaxItems"}},
	{"GET /2013-04-01/hostedzonesbyname", "ListHostedZonesByName", map[string]string{"dnsname": "DNSName", "hostedzoneid": "HostedZoneId", "maxitems": "MaxItems"}},
	{"GET /2013-04-01/hostedzone/{Id}", "GetHostedZone", nil},
	{"GET /2013-04-01/hostedzone/{HostedZoneId}/rrset", "ListResourceRecordSets", map[string]string{"name": "StartRecordName", "type": "StartRecordType", "maxitems": "MaxItems"}},
	{"POST /2013-04-01/hostedzone/{HostedZoneId}/rrset", "ChangeResourceRecordSets", nil},
	{"GET /2013-04-01/change/{Id}", "GetChange", nil},
}

// route53 serves one request to the REST API.
func (s *Server) route53(client *awsfake.Route53Client) http.Handler {
	mux := http.NewServeMux()
	for _, route := range route53Routes {
		mux.HandleFunc(route.pattern, func(w http.ResponseWriter, r *http.Request) {
			request, err := readXML(r.Body)
			if err != nil {
				errorResponse(w, route53Namespace, awsfake.Error("MalformedInput", "Unexpected list element termination: "+err.Error()))
				return
			}
			for _, name := range []string{"Id", "HostedZoneId"} {
				if v := r.PathValue(name); v != "" {
					request.kid(name).text = v
				}
			}
			for parameter, field := range route.query {
				if v := r.URL.Query().Get(parameter); v != "" {
					request.kid(field).text = v
				}
			}
			out, err := s.invoke(r.Context(), client, route.action, func(in reflect.Value) error { return fill(in, request) })
			if err != nil {
				errorResponse(w, route53Namespace, err)
				return
			}
			writeRoute53(w, route.action, out)
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimSuffix(r.URL.Path, "/") // some clients send /rrset/
		r.URL.RawPath = ""
		mux.ServeHTTP(w, r)
	})
}

func writeRoute53(w http.ResponseWriter, action string, out reflect.Value) {
	status := http.StatusOK
	if f := out.Elem().FieldByName("Location"); f.IsValid() {
		w.Header().Set("Location", f.Elem().String())
		f.SetZero() // a header, not an element
		status = http.StatusCreated
	}
	var b strings.Builder
	b.WriteString("<" + action + `Response xmlns="` + route53Namespace + `">`)
	route53Dialect.encode(&b, out)
	b.WriteString("</" + action + "Response>")
	reply(w, status, b.String())
}
