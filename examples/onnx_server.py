"""A server of predictions, from ONNX
==================================

``python examples/onnx_server.py network.onnx [--port 8000]``

It knows neither sk_shallow nor scikit-learn. The network is written by
``onnx.save(net.to_onnx(), "network.onnx")``. Rows of numbers are sent as JSON, and each
output of the network comes back by its name::

    curl -d '[[5.1, 3.5, 1.4, 0.2]]' http://localhost:8000

A server does not end, so it is not executed for this site.
"""
# sphinx_gallery_thumbnail_path = "_generated/thumbnails/onnx_server.png"

import argparse
import json
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import onnxruntime


def answer(session, rows):
    """The outputs for some rows, by name, as JSON."""
    X = np.array(json.loads(rows), dtype=np.float32)
    names = [output.name for output in session.get_outputs()]
    outputs = session.run(names, {"X": X})
    pairs = zip(names, outputs, strict=True)
    return json.dumps({name: values.tolist() for name, values in pairs})


class Handler(BaseHTTPRequestHandler):
    """One request: rows in, outputs out; 400 with the reason for what are no rows."""

    def do_POST(self):
        rows = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, text = 200, answer(self.server.session, rows)
        except Exception as error:
            status, text = 400, json.dumps({"error": str(error)})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(text.encode())


def make_server(path, port=0):
    """A server of the network in a file; port 0 is any that is free."""
    server = HTTPServer(("localhost", port), Handler)
    server.session = onnxruntime.InferenceSession(path)
    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("network")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    make_server(options.network, options.port).serve_forever()
