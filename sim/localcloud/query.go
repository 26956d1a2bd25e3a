package localcloud

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// service is a query API: parameters in, XML out.
type service struct {
	namespace string
	dialect   dialect
	wrapped   bool // the answer sits in an ActionResult element
	fail      func(w http.ResponseWriter, namespace string, err error)
}

var (
	ec2Service         = service{"http://ec2.amazonaws.com/doc/2016-11-15/", ec2Dialect, false, ec2Error}
	autoScalingService = service{"http://autoscaling.amazonaws.com/doc/2011-01-01/", queryDialect, true, errorResponse}
)

// query serves one request to a query API.
func (s *Server) query(service service, client any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			service.fail(w, service.namespace, awsfake.Error("MalformedQueryString", err.Error()))
			return
		}
		action := r.Form.Get("Action")
		out, err := s.invoke(r.Context(), client, action, func(in reflect.Value) error { return fill(in, readQuery(r.Form)) })
		if err != nil {
			service.fail(w, service.namespace, err)
			return
		}
		var b strings.Builder
		b.WriteString("<" + action + `Response xmlns="` + service.namespace + `">`)
		if service.wrapped {
			b.WriteString("<" + action + "Result>")
			service.dialect.encode(&b, out)
			b.WriteString("</" + action + "Result><ResponseMetadata>")
			text(&b, "RequestId", w.Header().Get("x-amzn-RequestId"))
			b.WriteString("</ResponseMetadata>")
		} else {
			text(&b, "requestId", w.Header().Get("x-amzn-RequestId"))
			service.dialect.encode(&b, out)
		}
		b.WriteString("</" + action + "Response>")
		reply(w, http.StatusOK, b.String())
	})
}

// ec2Error writes an error as EC2 does, unlike any other service.
func ec2Error(w http.ResponseWriter, _ string, err error) {
	status, code, message := failure(err)
	var b strings.Builder
	b.WriteString("<Response><Errors><Error>")
	text(&b, "Code", code)
	text(&b, "Message", message)
	b.WriteString("</Error></Errors>")
	text(&b, "RequestID", w.Header().Get("x-amzn-RequestId"))
	b.WriteString("</Response>")
	reply(w, status, b.String())
}

// callerIdentity answers STS GetCallerIdentity, all of STS that is here.
func callerIdentity(caller string) http.Handler {
	const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") != "GetCallerIdentity" {
			errorResponse(w, namespace, awsfake.Error("InvalidAction", "The local cloud knows GetCallerIdentity only."))
			return
		}
		var b strings.Builder
		b.WriteString(`<GetCallerIdentityResponse xmlns="` + namespace + `"><GetCallerIdentityResult>`)
		text(&b, "Arn", "arn:aws:sts::"+awsfake.AccountID+":assumed-role/etcd-appliance/"+caller)
		text(&b, "UserId", "AROAETCDAPPLIANCE000:"+caller)
		text(&b, "Account", awsfake.AccountID)
		b.WriteString("</GetCallerIdentityResult><ResponseMetadata>")
		text(&b, "RequestId", w.Header().Get("x-amzn-RequestId"))
		b.WriteString("</ResponseMetadata></GetCallerIdentityResponse>")
		reply(w, http.StatusOK, b.String())
	})
}
