package localcloud

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// scope finds who calls which service in which region in a SigV4 header
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html).
var scope = regexp.MustCompile(`Credential=([^/]+)/[0-9]{8}/([^/]+)/([^/]+)/aws4_request`)

// handler sends each request to its service.
func (s *Server) handler() http.Handler {
	services := map[string]func(caller, region string) http.Handler{
		"ec2": func(caller, region string) http.Handler { return s.query(ec2Service, s.cloud.EC2(caller).In(region)) },
		"autoscaling": func(caller, region string) http.Handler {
			return s.query(autoScalingService, s.cloud.AutoScaling(caller).In(region))
		},
		"sts":     func(caller, _ string) http.Handler { return callerIdentity(caller) },
		"route53": func(caller, _ string) http.Handler { return s.route53(s.cloud.Route53(caller)) },
		"s3":      func(caller, _ string) http.Handler { return s.s3(s.cloud.S3(caller)) },
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := scope.FindStringSubmatch(r.Header.Get("Authorization"))
		if found == nil || services[found[3]] == nil {
			http.Error(w, "the local cloud needs a request signed for ec2, autoscaling, route53, s3 or sts", http.StatusForbidden)
			return
		}
		w.Header().Set("x-amzn-RequestId", requestID())
		services[found[3]](found[1], found[2]).ServeHTTP(w, r)
	})
}

// invoke calls the client's method of that name, which has the SDK's signature,
// with an input that set fills. It holds the cloud for the length of the call.
func (s *Server) invoke(ctx context.Context, client any, action string, set func(in reflect.Value) error) (out reflect.Value, err error) {
	method := reflect.ValueOf(client).MethodByName(action)
	if action == "" || !method.IsValid() {
		return out, awsfake.Error("InvalidAction", "The action "+action+" is not valid for this web service.")
	}
	in := reflect.New(method.Type().In(1).Elem())
	if err := set(in.Elem()); err != nil {
		return out, awsfake.Error("MalformedInput", err.Error())
	}
	s.Do(func(*awsfake.Cloud) {
		result := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
		out = result[0]
		err, _ = result[1].Interface().(error)
	})
	return out, err
}

// statuses are the HTTP statuses of errors that are not a plain 400.
var statuses = map[string]int{
	"NoSuchHostedZone": 404, "NoSuchChange": 404, "HostedZoneAlreadyExists": 409,
	"NoSuchBucket": 404, "NoSuchKey": 404, "NotFound": 404, "NoSuchUpload": 404, "BucketAlreadyOwnedByYou": 409,
	"PreconditionFailed": 412, "NotImplemented": 501,
	"RequestLimitExceeded": 503, "SlowDown": 503, "ServiceUnavailable": 503, "Unavailable": 503,
	"InternalError": 500, "InternalFailure": 500, "UnauthorizedOperation": 403, "AccessDenied": 403,
	"AuthFailure": 401, "SignatureDoesNotMatch": 403, "RequestTimeTooSkewed": 403,
}

// failure splits an error into what the wire carries. One that is no API error
// is the server's fault.
func failure(err error) (status int, code, message string) {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return http.StatusInternalServerError, "InternalFailure", err.Error()
	}
	if status = statuses[api.ErrorCode()]; status == 0 {
		status = http.StatusBadRequest
	}
	return status, api.ErrorCode(), api.ErrorMessage()
}

// reply writes an XML document.
func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + body))
}

// errorResponse writes an error as the query APIs and Route53 do.
func errorResponse(w http.ResponseWriter, namespace string, err error) {
	status, code, message := failure(err)
	var b strings.Builder
	b.WriteString(`<ErrorResponse xmlns="` + namespace + `"><Error><Type>Sender</Type>`)
	text(&b, "Code", code)
	text(&b, "Message", message)
	b.WriteString("</Error>")
	text(&b, "RequestId", w.Header().Get("x-amzn-RequestId"))
	b.WriteString("</ErrorResponse>")
	reply(w, status, b.String())
}
