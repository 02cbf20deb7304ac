"""cri.py SOCKET METHOD JSON: calls a method of the runtime service of the Container Runtime Interface, and prints its answer as JSON.

The messages come from cri.proto, compiled by protoc into a module cri_pb2, which PYTHONPATH has to find.
"""
import json
import sys

import cri_pb2
import grpc
from google.protobuf import json_format

socket, method, request = sys.argv[1:]
with grpc.insecure_channel(f"unix://{socket}") as channel:
    call = channel.unary_unary(
        f"/runtime.v1.RuntimeService/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=getattr(cri_pb2, f"{method}Response").FromString,
    )
    message = json_format.ParseDict(json.loads(request), getattr(cri_pb2, f"{method}Request")())
    try:
        answer = call(message, timeout=60)
    except grpc.RpcError as error:
        sys.exit(f"{method}: {error.details()}")
    print(json.dumps(json_format.MessageToDict(answer, including_default_value_fields=True, preserving_proto_field_name=True)))
