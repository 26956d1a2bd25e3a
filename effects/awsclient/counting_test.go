package awsclient_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/etcd-appliance/etcd-appliance/effects/awsclient"
)

// TestCallsAreCounted: each attempt, with what came of it; also of a call that went well in the end.
func TestCallsAreCounted(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			http.Error(w, `<Error><Code>NoSuchKey</Code></Error>`, http.StatusNotFound)
			return
		}
		if asked++; asked == 1 {
			http.Error(w, `<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>`, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(w, `<DescribeInstancesResponse/>`)
	}))
	defer server.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	var told []string
	clients := &awsclient.Clients{Called: func(service, action string, outcome awsclient.Outcome) {
		told = append(told, fmt.Sprint(service, " ", action, " ", outcome))
	}}
	if _, err := clients.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}); err != nil {
		t.Fatal(err)
	}
	if _, err := clients.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}); err == nil {
		t.Error("there is no such object")
	}
	want := []string{"EC2 DescribeInstances throttled", "EC2 DescribeInstances ok", "S3 GetObject failed"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
