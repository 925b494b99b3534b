"""The one room where a Config becomes objects: data, network, updates, metrics, controls."""
