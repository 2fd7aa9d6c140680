package verifiertest

import (
	"fmt"
	"net/http"
	"strings"
)

// answer returns a result of the query protocol.
func answer(service, action, result string) Response {
	return response(http.StatusOK, fmt.Sprintf(
		"<%[2]sResponse xmlns=%[4]q><%[2]sResult>%[3]s</%[2]sResult><ResponseMetadata><RequestId>%[1]s</RequestId></ResponseMetadata></%[2]sResponse>\n",
		RequestID, action, result, "https://"+service+".amazonaws.com/doc/"))
}

// JSONFailure returns an error as services of the JSON protocols word it.
func JSONFailure(status int, code, message string) Response {
	return response(status, fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message))
}

func element(name, text string) string { return "<" + name + ">" + escape(text) + "</" + name + ">" }

func members(name string, list []string) string {
	if len(list) == 0 {
		return "<" + name + "/>"
	}
	return "<" + name + "><member>" + strings.Join(list, "</member><member>") + "</member></" + name + ">"
}

func noSuch(kind, name string) Response {
	return Failure(http.StatusNotFound, "NoSuchEntity", "The "+kind+" with name "+name+" cannot be found.")
}

// oneRegion is the answer to ec2:DescribeRegions of an account that has no other.
func oneRegion() Response {
	return response(http.StatusOK, "<DescribeRegionsResponse><requestId>"+RequestID+"</requestId><regionInfo><item>"+
		element("regionName", "us-east-1")+"</item></regionInfo></DescribeRegionsResponse>")
}
