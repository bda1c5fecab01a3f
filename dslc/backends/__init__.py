"""dslc/backends"""
